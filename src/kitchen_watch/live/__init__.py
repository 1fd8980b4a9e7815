"""Live view on the edge: one camera's packets to many viewers, without decoding them."""
