"""What is found, how it is handled and how fast: figures with their denominators, for any subtree."""
