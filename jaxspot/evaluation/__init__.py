"""Matching, F1, ROC and the floors and peers that results are held against."""
