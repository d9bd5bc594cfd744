"""The two-stream network, its input and its loss."""
