"""Complaints (12315): filed, held evidence, accepted, answered, closed; each with its clock and history."""
