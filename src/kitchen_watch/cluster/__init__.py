"""Analysis on several machines: groups of cameras, each an ordinary edge, placed and moved with Ray."""
