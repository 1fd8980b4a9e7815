"""Holds: what must not be deleted, why, who said so, and who lifted it."""
