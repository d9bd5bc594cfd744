"""Which banks weights were trained on, as far as what lies beside them tells."""

import hashlib
import json
from pathlib import Path
from typing import Any

from jaxspot.files import read_note
from jaxspot.spotting.spotter_file import SHIPPED, card_place
from jaxspot.video.bank import Bank

ARRAYS = ("frames/", "motion/")


def arrays_sha256(bank: Bank) -> str:
    """One hash for the frames or motion of a bank: it stays where its labels are renewed."""
    named = {name: sha for name, sha in bank.meta["sha256"].items() if name.startswith(ARRAYS)}
    return hashlib.sha256(json.dumps(named, sort_keys=True).encode()).hexdigest()


def describe_bank(bank: Bank) -> dict[str, str]:
    """The hashes by which `known_banks` knows a bank again."""
    return {"bank_sha256": bank.sha256, "arrays_sha256": arrays_sha256(bank)}


def known_banks(weights: str | Path | None) -> set[str]:
    """The hashes of the banks that weights were trained on: of the whole, of the arrays alone.

    A file of weights has them in its card, with those of the weights that it started from; a run in
    its provenance.json. Empty where nothing tells. `weights` is as for `load_spotter`.
    """
    place = SHIPPED if weights is None else Path(weights)
    if place.suffix == SHIPPED.suffix and not place.is_dir():
        card = read_note(card_place(place))
        start = card.get("start")
        before = start.get("banks", ()) if isinstance(start, dict) else ()
        return _hashes(card.get("data")) | {str(sha) for sha in before}
    if place.absolute().parts[-2:] == ("checkpoints", "spotter"):
        place = place.absolute().parents[1]
    return _hashes(read_note(place / "provenance.json").get("bank"))


def was_trained_on(weights: str | Path | None, bank: Bank) -> bool:
    """Whether weights are known to be trained on a bank, or on one that differs in labels alone."""
    return not known_banks(weights).isdisjoint(describe_bank(bank).values())


def _hashes(values: Any) -> set[str]:
    names = ("sha256", "bank_sha256", "arrays_sha256")
    return {str(values[name]) for name in names if isinstance(values, dict) and name in values}
