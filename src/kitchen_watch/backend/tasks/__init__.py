"""Tasks: a city's tree of tasks, given to units, and how far each unit is."""
