"""The modules of the wire of version v0.2, as they were."""
