"""Tests of the model that looks along."""
