"""Tests of the streams: sources, readers, time, replay and camera health."""
