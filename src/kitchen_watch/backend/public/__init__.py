"""What the public may see of a premises without logging in, and the plates that lead there."""
