"""The database schema's history; applied at start."""
