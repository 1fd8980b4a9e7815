"""The archive of a premises for a period: one ZIP with cover, labels, index, files and their hashes."""
