"""Bright-kitchen supervision: cameras in, verified food-safety alerts out."""
