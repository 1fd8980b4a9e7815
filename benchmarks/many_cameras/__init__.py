"""Parts of ``benchmarks.edge``: films, cameras, the systems that are compared, the floor, the plots."""
