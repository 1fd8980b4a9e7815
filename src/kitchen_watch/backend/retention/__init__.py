"""Retention: what is deleted by policy and when, what is never deleted, and the record of what was."""
