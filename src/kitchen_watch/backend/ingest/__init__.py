"""Events of the edges become alerts, each exactly once."""
