"""A compressed day of a city: real backends whose time runs faster, edges and people who fill it."""
