"""By when each step of an alert's life must be done, and what happens when it is not."""
