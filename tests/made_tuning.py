"""Fine-tuning at the smallest size: where it starts, its people, its command line."""

import dataclasses

from made_spotters import untrained
from tiny_banks import write_bank

from jaxspot.configs import load_config
from jaxspot.network.model import model_fields
from jaxspot.spotting.candidates import FEATURES
from jaxspot.spotting.judge import Judge
from jaxspot.spotting.saved_spotter import save_spotter

NO_FEATURE = ((0.0,) * len(FEATURES),) * 2
JUDGE = Judge((0.3, 0.4), NO_FEATURE, ((1.0,) * len(FEATURES),) * 2, NO_FEATURE, (0.0, 0.0))
FIELDS = dict(trunk="motion", fusion_width=8)
MODEL = model_fields(untrained(**FIELDS).model)


def tuning_places(folder):
    """Makes two networks with a judge, and banks of one and of four people; returns the folder."""
    save_spotter(folder / "start", dataclasses.replace(untrained(**FIELDS), judge=JUDGE))
    write_bank(folder / "one", subjects=1)
    write_bank(folder / "four", subjects=4)
    return folder


def tuning_words(places, bank, out):
    """The words of the command `build_weights`."""
    config = load_config("reviewed")
    model = [f"--config.model.{name}={MODEL[name]}" for name in config.model if name in MODEL]
    flags = [f"--out={out / 'w.npz'}", f"--workdir={out / 'work'}", "--config=reviewed"]
    flags += [f"--config.data.bank={places / bank}", f"--config.start={places / 'start'}"]
    flags += ["--config.training.epochs=1", "--config.training.steps=2"]
    flags += ["--config.training.batch=4", "--config.training.averaging=0.0"]
    return [*flags, *model]
