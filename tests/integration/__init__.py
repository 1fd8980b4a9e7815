"""Both programs together, as processes, on real streams: few tests, and real ones."""
