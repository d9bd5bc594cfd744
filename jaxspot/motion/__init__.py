"""Region motion: how far places of the face moved from frame to frame."""
