"""The analysis node: cameras in, events out; works with the backend unreachable for days."""
