"""From frames to detections: one scheduler, one model, many cameras."""
