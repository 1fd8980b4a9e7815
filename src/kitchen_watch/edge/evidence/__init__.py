"""Snapshots, clips, privacy masks and the hash chain that proves them."""
