"""Tests of backend.edges."""
