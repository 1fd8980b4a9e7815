"""The modules of the wire of version v0.1, as they were."""
