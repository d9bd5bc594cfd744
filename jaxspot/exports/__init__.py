"""Spotted intervals as files of annotation tools; one file a format."""
