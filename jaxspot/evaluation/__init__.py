"""Matching, F1, ROC, fitted thresholds, chance and the bootstrap."""
