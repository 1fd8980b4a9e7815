"""Tests of backend.organisations."""
