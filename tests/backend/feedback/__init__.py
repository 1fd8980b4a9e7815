"""Tests of the way back from decisions to training pictures."""
