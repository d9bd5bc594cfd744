"""The weights that training starts from, where a run does not start from random ones."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from jaxspot.errors import UserError
from jaxspot.experiment.settings import Settings
from jaxspot.network.model import model_fields
from jaxspot.spotting.saved_spotter import load_spotter
from jaxspot.spotting.spotter import Spotter
from jaxspot.spotting.spotter_file import SHIPPED as SHIPPED_FILE
from jaxspot.storage import hash_tree

SHIPPED = "shipped"
"""As `start`: the weights that come with jaxspot."""


def starting_variables(settings: Settings) -> dict[str, Any] | None:
    """{"params", "batch_stats"} of the spotter that `start` names, stacked; None: no start.

    Raises:
      UserError: as `starting_spotter`.
    """
    spotter = starting_spotter(settings)
    return spotter and spotter.variables


def starting_spotter(settings: Settings) -> Spotter | None:
    """The spotter that `start` names; None: no start.

    Raises:
      UserError: no spotter there, or its network differs from that of the settings.
    """
    if not settings.start:
        return None
    spotter = load_spotter(None if settings.start == SHIPPED else settings.start)
    ours, theirs = model_fields(settings.model), model_fields(spotter.model)
    for name in ours:
        if ours[name] != theirs[name]:
            old, new = json.dumps(theirs[name]), json.dumps(ours[name])
            raise UserError(
                f"--config.start={settings.start}: its network has {name} = {old}, these settings"
                f" have {new}; take the settings that it was trained with"
            )
    return spotter


def describe_starts(settings: Iterable[Settings]) -> dict[str, str]:
    """What `start` names -> the hash of its variables; a run that is resumed needs the same.

    Raises:
      UserError: as `starting_spotter`.
    """
    named = {one.start: one for one in settings if one.start}
    spotters = {name: starting_spotter(one) for name, one in named.items()}
    return {name: hash_tree(found.variables) for name, found in spotters.items() if found}


def refuse_start_as_out(out: Path, settings: Settings) -> None:
    """Raises UserError where the weights would be written over those that training starts from.

    A run that is resumed would then start from its own result.
    """
    start = SHIPPED_FILE if settings.start == SHIPPED else Path(settings.start)
    same = out.resolve() == start.resolve()
    if settings.start and (same or (out.exists() and start.exists() and out.samefile(start))):
        raise UserError(f"{out}: is the file of --config.start; name another --out")
