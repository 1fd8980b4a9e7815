"""The modules of the wire of version v0.3, as they were."""
