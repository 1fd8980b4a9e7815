"""The processes of the live-view benchmark: cameras, edge, viewers, and the way in which they talk."""
