"""Videos of your own: found on disk, spotted side by side, written as folders of results."""
