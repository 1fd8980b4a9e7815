"""Ratings: a hygiene score from 0 to 100 as a decision aid, with its derivation; never an official grade."""
