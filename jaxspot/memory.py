"""How much memory this process has taken at most."""

import sys

try:
    import resource
except ImportError:  # Windows
    resource = None


def peak_gigabytes() -> float | None:
    """Peak resident memory in GB (10**9 bytes); None where the system does not tell."""
    if resource is None:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak * (1 if sys.platform == "darwin" else 1024) / 1e9
