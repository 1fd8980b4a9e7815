"""Pure state machines: tracks and time in, violations out."""
