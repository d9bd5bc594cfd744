"""A spotter in one file: its settings as JSON and its variables, checked against a card beside it.

The weights are rounded to float16, running statistics are not. The card (see `card_place`) holds
the sha256 of the file and what is known of the weights.
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from jaxspot.errors import UserError
from jaxspot.files import write_bytes, write_text

SHIPPED = Path(__file__).parents[1] / "weights" / "spotter.npz"
CAUSAL = SHIPPED.with_name("causal.npz")
"""What `live` uses; it is built like the other."""
CARD = "card.json"
ROUNDED = "params"
SETTINGS = "settings"
REMEDY = "install jaxspot again, or name another --weights"


def write_spotter_file(
    path: str | Path,
    settings: Mapping[str, Any],
    variables: Mapping[str, Any],
    card: Mapping[str, Any],
) -> str:
    """Writes PATH and the card beside it, with "sha256" and "bytes" added; returns the sha256.

    `variables` is nested dicts of float arrays. The same arguments give the same bytes. A
    ValueError if a weight does not fit in float16.
    """
    path, arrays = Path(path), {}
    for name, leaf in _flat(variables).items():
        arrays[name] = np.asarray(leaf, np.float32)
        if name.partition("/")[0] == ROUNDED:
            with np.errstate(over="ignore"):
                arrays[name] = arrays[name].astype(np.float16)
        if not np.isfinite(arrays[name]).all():
            raise ValueError(f"{name}: holds a value that is not finite or not below 65,504")
    text = json.dumps(settings, indent=1, sort_keys=True)
    arrays[SETTINGS] = np.frombuffer(text.encode(), np.uint8)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **{name: arrays[name] for name in sorted(arrays)})
    data = buffer.getvalue()
    digest = hashlib.sha256(data).hexdigest()
    known = dict(card) | {"sha256": digest, "bytes": len(data)}
    write_bytes(path, data)
    write_text(card_place(path), json.dumps(known, indent=1) + "\n")
    return digest


def read_spotter_file(path: str | Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Settings and variables, float32, of a file that `write_spotter_file` wrote.

    Raises:
      UserError: the file or its card is missing, or the file is not the one that the card names.
    """
    path = Path(path)
    digest = read_card(path)["sha256"]
    try:
        data = path.read_bytes()
    except OSError:
        raise UserError(f"{path}: no weights here; {REMEDY}") from None
    if hashlib.sha256(data).hexdigest() != digest:
        raise UserError(
            f"{path}: altered (its sha256 is not that of {card_place(path).name}); {REMEDY}"
        )
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        settings = json.loads(arrays.pop(SETTINGS).tobytes())
    except (ValueError, KeyError, zipfile.BadZipFile):
        raise UserError(f"{path}: holds no spotter; {REMEDY}") from None
    return settings, _nested({name: leaf.astype(np.float32) for name, leaf in arrays.items()})


def card_place(path: str | Path) -> Path:
    """Where the card of a file of weights is: CARD beside it; that of `causal.npz` has its name.

    So causal weights can lie beside those of `spot`.
    """
    path = Path(path)
    return path.with_name(f"causal_{CARD}" if path.name == CAUSAL.name else CARD)


def read_card(path: str | Path) -> dict[str, Any]:
    """The card beside a file of weights.

    Raises:
      UserError: it is missing or not readable.
    """
    place = card_place(path)
    try:
        card = json.loads(place.read_text("utf-8"))
        return dict(card) | {"sha256": str(card["sha256"])}
    except (OSError, ValueError, TypeError, KeyError):
        raise UserError(f"{place}: missing or not readable; {REMEDY}") from None


def _flat(tree, place=""):
    if not isinstance(tree, Mapping):
        return {place: tree}
    found = {}
    for name, inner in tree.items():
        found |= _flat(inner, f"{place}/{name}" if place else name)
    return found


def _nested(flat):
    tree: dict[str, Any] = {}
    for place, leaf in flat.items():
        *parents, name = place.split("/")
        inner = tree
        for parent in parents:
            inner = inner.setdefault(parent, {})
        inner[name] = leaf
    return tree
