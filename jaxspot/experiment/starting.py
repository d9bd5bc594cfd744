"""The weights that training starts from, where a run does not start from random ones."""

import json
from typing import Any

from jaxspot.errors import UserError
from jaxspot.experiment.settings import Settings
from jaxspot.network.model import model_fields
from jaxspot.spotting.saved_spotter import load_spotter
from jaxspot.spotting.spotter import Spotter

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
