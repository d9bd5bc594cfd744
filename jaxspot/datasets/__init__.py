"""Data sets as they lie on disk, and the way from there into a frame bank."""
