"""The wire as earlier versions had it; never edited."""
