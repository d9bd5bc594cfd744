"""The losses of each fold and epoch, as rows and in words."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from jaxspot.files import write_text
from jaxspot.training.inner_folds import Networks
from jaxspot.training.saved_epochs import Progress


def split_metrics(
    networks: Networks, rows: Sequence[dict[str, Any]]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The rows of the folds, and those of the inner folds."""
    held_out = {fold.held_out for fold in networks.folds}
    parts = [], []
    for row in rows:
        parts[row["subject"] not in held_out].append(row)
    return parts


def write_metrics(path: Path, networks: Networks, rows: Sequence[dict[str, Any]]) -> None:
    """Writes one JSON row a line: those of the folds, and beside it those of the inner folds."""
    ours, inner = split_metrics(networks, rows)
    for place, part in ((path, ours), (path.with_name(f"inner_{path.name}"), inner)):
        if part or place == path:
            write_text(place, "".join(json.dumps(row) + "\n" for row in part))


def describe(progress: Progress) -> str:
    """The last epoch in a few words: mean losses of the folds that trained, how many are done."""
    rows = [row for row in progress.metrics if row["epoch"] == progress.epoch]
    mean = lambda losses: f"{np.mean(losses):.4f}" if losses else "none"
    loss, validation = (
        [row[name] for row in rows if row[name] is not None]
        for name in ("train_loss", "validation_loss")
    )
    if not validation:
        return f"loss {mean(loss)}"
    stopped = sum(row["stopped"] for row in rows)
    return f"loss {mean(loss)}, validation {mean(validation)}, {stopped} done"
