"""Scores of a face while it is filmed, from this frame and earlier ones only."""
