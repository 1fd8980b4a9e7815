"""Tests of backend.ingest."""
