"""Who runs an edge whose owner can change: one owner at any time, by a lease with a fencing token."""
