"""The pages that regulators and restaurants look at: server-rendered, Chinese first, offline."""
