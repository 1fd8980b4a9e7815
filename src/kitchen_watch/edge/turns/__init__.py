"""More cameras than the machine can look at: they take turns, and it is told how."""
