"""Reports of the nodes of the tree, bulletins, and what supervision groups must look at tonight."""
