"""What a run was made with: packages, devices, command, bank and revision of the code."""

import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import jax

from jaxspot.errors import UserError
from jaxspot.experiment.trained_on import arrays_sha256
from jaxspot.files import write_text
from jaxspot.video.bank import Bank

PACKAGES = ("jaxspot", "jax", "jaxlib", "flax", "optax", "numpy", "scipy", "opencv-python")
MATTERS = {"packages", "device", "xla_flags", "git_revision"}
"""What the last digits of a run depend on."""


def write_provenance(path: Path, now: dict[str, Any]) -> None:
    """Writes provenance.json; where a run is resumed, adds what has changed since.

    Raises:
      UserError: the bank, or what training starts from, is another than the run was begun with.
    """
    try:
        first = json.loads(path.read_text("utf-8"))
        begun, bank = first["bank"]["sha256"], now["bank"]["sha256"]
    except FileNotFoundError:
        write_text(path, json.dumps(now, indent=1) + "\n")
        return
    except (ValueError, TypeError, KeyError):
        raise UserError(
            f"{path}: not readable; copy it back, or remove the run's folder and train anew"
        ) from None
    if begun != bank:
        raise UserError(
            f"{path.parent}: was begun with the bank of sha256 {begun[:12]}, this one has"
            f" {bank[:12]}; resume with the same bank or name another --out"
        )
    _refuse_other_start(path.parent, first.get("start") or {}, now.get("start") or {})
    changed = {name: value for name, value in now.items() if value != first.get(name)}
    for name in sorted(changed.keys() & MATTERS):
        line = f"{path.parent}: was begun with another {name} ({first.get(name)}, now {now[name]})"
        print(f"{line}; the last digits may differ", file=sys.stderr)
    first["resumed"] = [*first.get("resumed", []), changed]
    write_text(path, json.dumps(first, indent=1) + "\n")


def _refuse_other_start(folder, begun, starts):
    for name in begun.keys() & starts.keys():
        if begun[name] != starts[name]:
            raise UserError(
                f"{folder}: was begun from weights in {name} that have changed since (sha256"
                f" {begun[name][:12]}, now {starts[name][:12]}); put those back, or begin anew in"
                " another folder"
            )


def describe_run(
    config: Any, bank: Bank, starts: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Provenance of a run as JSON values; `starts` as from `describe_starts`."""
    devices = jax.devices()
    told = {
        "python": platform.python_version(),
        "packages": package_versions(),
        "platform": platform.platform(),
        "processors": os.cpu_count(),
        "device": f"{len(devices)} x {devices[0].device_kind}",
        "xla_flags": os.environ.get("XLA_FLAGS", ""),
        "command": sys.argv,
        "seed": config.seed,
        "bank": {
            "sha256": bank.sha256,
            "arrays_sha256": arrays_sha256(bank),
            "source": bank.meta["source"],
        },
        "git_revision": git_revision(),
    }
    return told | ({"start": dict(starts)} if starts else {})


def package_versions() -> dict[str, str | None]:
    """Name -> version of the packages that results depend on."""
    return {name: _version(name) for name in PACKAGES}


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
