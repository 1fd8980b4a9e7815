"""Tests of backend.evidence."""
