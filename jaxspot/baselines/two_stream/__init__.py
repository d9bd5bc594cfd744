"""Two-stream attention network of Sun, Cao, He and Yu (2019), leave-one-subject-out."""
