"""What people decided about alerts, handed back to the training of the detector."""
