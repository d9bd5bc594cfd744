"""Spotters on disk: the folder of a run, or one small file."""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax

from jaxspot.errors import UserError
from jaxspot.files import with_tuples
from jaxspot.network.inputs import init_variables
from jaxspot.network.model import build_model, frame_shape
from jaxspot.spotting.automated_iou import FittedRule
from jaxspot.spotting.judge import Judge
from jaxspot.spotting.spotter import Spotter
from jaxspot.spotting.spotter_file import (
    REMEDY,
    SHIPPED,
    read_spotter_file,
    write_spotter_file,
)
from jaxspot.storage import restore_tree, save_tree, verify_tree
from jaxspot.video.bank import SIZE

SETTINGS = "spotter.json"


def save_spotter(folder: str | Path, spotter: Spotter) -> None:
    """Writes a spotter as FOLDER/weights: its networks, its settings as JSON, and their hashes."""
    text = json.dumps(spotter.settings(), indent=1) + "\n"
    save_tree(Path(folder) / "weights", spotter.variables, texts={SETTINGS: text})


def save_shipped(path: str | Path, spotter: Spotter, card: Mapping[str, Any]) -> str:
    """Writes a spotter as one small file, and `card` beside it; see `write_spotter_file`.

    Weights are rounded to float16, which changes scores by less than 0.001. Returns the sha256.
    """
    return write_spotter_file(path, spotter.settings(), spotter.variables, card)


def load_spotter(place: str | Path | None = None) -> Spotter:
    """Loads a spotter: the one that comes with jaxspot, or that of a run.

    Args:
      place: the folder of a run; a folder that `save_spotter` wrote; or a file that `build_weights`
        wrote. By default the spotter that comes with jaxspot.

    Raises:
      UserError: no spotter there, one that was altered, or one of another version.
    """
    place = SHIPPED if place is None else Path(place)
    if place.suffix == SHIPPED.suffix and not place.is_dir():
        return _load_file(place)
    if (place / "checkpoints" / "spotter").is_dir():
        place = place / "checkpoints" / "spotter"
    weights = place / "weights"
    if not (weights / SETTINGS).is_file():
        raise UserError(f"{place}: no trained spotter here ({SETTINGS}); name a run's folder")
    verify_tree(weights)
    settings = json.loads((weights / SETTINGS).read_text(encoding="utf-8"))
    spotter = _without_variables(settings, place, "train again")
    return dataclasses.replace(spotter, variables=restore_tree(weights, _shapes(spotter)))


def _load_file(path):
    settings, variables = read_spotter_file(path)
    spotter = _without_variables(settings, path, REMEDY)
    variables = {"batch_stats": {}} | variables
    shapes = lambda tree: jax.tree.map(lambda leaf: leaf.shape, tree)
    if shapes(variables) != shapes(_shapes(spotter)):
        raise UserError(f"{path}: its weights have other shapes than its network; {REMEDY}")
    return dataclasses.replace(spotter, variables=variables)


def _without_variables(settings, place, remedy):
    try:
        fields = with_tuples(settings["model"])
        fields.pop("momentum", None)  # saved until it was removed; scores do not depend on it
        model = build_model(**fields)
        k_seconds = tuple(tuple(pair) for pair in settings["skip_seconds"])
        rules = tuple(FittedRule.from_json(values) for values in settings["rules"])
        judge = Judge.from_json(settings["judge"]) if settings.get("judge") else None
        alignment = settings.get("alignment", "similarity")  # there was no other before
        return Spotter(model, {}, k_seconds, rules, alignment, judge)
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"{place}: saved by another version of jaxspot ({error}); {remedy}"
        ) from None


def _shapes(spotter):
    """Shapes and types of a spotter's variables."""
    model, size = spotter.model, frame_shape(spotter.model, SIZE)
    shapes = jax.eval_shape(lambda: init_variables(model, jax.random.key(0), size))
    stacked = lambda leaf: jax.ShapeDtypeStruct((len(spotter.rules), *leaf.shape), leaf.dtype)
    return jax.tree.map(stacked, {"batch_stats": {}} | shapes)
