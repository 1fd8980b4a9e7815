"""Committed measurements: programs that anybody can run again."""
