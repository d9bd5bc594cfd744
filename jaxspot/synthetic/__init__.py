"""Synthetic long videos with exact labels."""
