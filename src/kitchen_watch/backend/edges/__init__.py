"""Connected edges: the control connection, heartbeats, configurations and camera commands."""
