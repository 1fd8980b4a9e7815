"""From an RTSP address, a file or a webcam to frames, packets and camera health."""
