"""Whether somebody is watching: coverage of premises by cameras, and minutes in which cameras were seen."""
