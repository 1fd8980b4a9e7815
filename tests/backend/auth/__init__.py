"""Tests of backend.auth."""
