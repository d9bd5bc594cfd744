"""How much memory this process has taken at most."""

import sys
from pathlib import Path

try:
    import resource
except ImportError:  # Windows
    resource = None


def peak_gigabytes() -> float | None:
    """Peak resident memory in GB (10**9 bytes); None where the system does not tell."""
    status = Path("/proc/self/status")
    if status.is_file():  # getrusage would also count what the parent held when it began this one
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e9
    if resource is None:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak * (1 if sys.platform == "darwin" else 1024) / 1e9
