"""Tests of backend.alerts."""
