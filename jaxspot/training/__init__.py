"""Leave-one-subject-out training of all folds at once."""
