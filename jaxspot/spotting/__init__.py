"""From weights and frames to scores and intervals."""
