"""Live view at the backend: who may watch, who does, and media for those whom WebRTC does not reach."""
