"""The supervised world: the tree of nodes, premises, cameras and edges, and who may see what of it."""
