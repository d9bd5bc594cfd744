"""A benchmark on real faces: known expressions warped into people's own clips."""
