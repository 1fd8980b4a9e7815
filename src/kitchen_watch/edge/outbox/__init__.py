"""Events that the backend has not acknowledged yet, safe on disk."""
