"""The weights that training starts from, where a run does not start from random ones."""

import json
from typing import Any

from jaxspot.errors import UserError
from jaxspot.experiment.settings import Settings
from jaxspot.network.model import model_fields
from jaxspot.spotting.spotter import load_spotter


def starting_variables(settings: Settings) -> dict[str, Any] | None:
    """{"params", "batch_stats"} of the spotter that `start` names, stacked; None: no start.

    Raises:
      UserError: no spotter there, or its network differs from that of the settings.
    """
    if not settings.start:
        return None
    spotter = load_spotter(settings.start)
    ours, theirs = model_fields(settings.model), model_fields(spotter.model)
    for name in ours:
        if ours[name] != theirs[name]:
            old, new = json.dumps(theirs[name]), json.dumps(ours[name])
            raise UserError(
                f"--config.start={settings.start}: its network has {name} = {old}, these settings"
                f" have {new}; take the settings that it was trained with"
            )
    return spotter.variables
