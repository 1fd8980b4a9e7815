"""Violations as people handle them, and the feed that tells of them."""
