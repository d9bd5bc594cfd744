"""Videos of your own: found on disk, spotted side by side, written as folders of results."""

WORK = ("jaxspot.own_video.writing", "jaxspot.own_video.results")
"""Modules that the worker processes need."""
