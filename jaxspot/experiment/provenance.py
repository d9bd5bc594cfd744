"""What a run's numbers depend on: versions, device, flags, seed, bank, code."""

import os
import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import jax

from jaxspot.video.bank import Bank

PACKAGES = ("jaxspot", "jax", "jaxlib", "flax", "optax", "numpy", "scipy", "opencv-python")


def describe_run(config: Any, bank: Bank) -> dict[str, Any]:
    """Provenance of a run as JSON values."""
    devices = jax.devices()
    return {
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
        "platform": platform.platform(),
        "processors": os.cpu_count(),
        "device": f"{len(devices)} x {devices[0].device_kind}",
        "xla_flags": os.environ.get("XLA_FLAGS", ""),
        "command": sys.argv,
        "seed": config.seed,
        "bank": {"sha256": bank.sha256, "source": bank.meta["source"]},
        "git_revision": git_revision(),
    }


def git_revision() -> str | None:
    """The commit of the code, with a + where files differ from it; None outside a checkout."""
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return None
    run = lambda *words: subprocess.run(
        ["git", "-C", str(root), *words], capture_output=True, text=True, check=True
    ).stdout.strip()
    try:
        return run("rev-parse", "HEAD") + ("+" if run("status", "--porcelain") else "")
    except (OSError, subprocess.CalledProcessError):
        return None


def _version(name):
    """A checkout may be run without being installed, and OpenCV may be another of its packages."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None
