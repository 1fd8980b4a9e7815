"""Evidence files: manifests and their chain, upload from the edges, and guarded links for people."""
