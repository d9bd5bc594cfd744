"""CAS(ME)^2 with Table 3's values, on a bank that `prepare` has made of it.

  jaxspot prepare --dataset=cas_me2 --source=CASME2 --out=banks/cas_me2
  jaxspot train --config=cas_me2 --config.data.bank=banks/cas_me2 --out=runs/cas_me2

The videos were not at hand: neither time nor figures of a real run are known. The paper reports F1
of 0.0686 (MaE), 0.0119 (ME) and 0.0497 overall (Table 5, k-th frame skip). Its thresholds
come from the ROC of the test results (section 4.1); which point of the curve it does not say.

An epoch of :paper is 1,500 steps of 16 samples: one frame in 10, three a second.

Arguments: paper (the default), best and convolution, as in the config default.
"""

from typing import Any

from . import default


def get_config(arguments: str = "") -> Any:
    """Settings for CAS(ME)^2."""
    config = default.paper()
    config.data.name = "CAS(ME)^2"
    config.data.inclusive = False
    config.training.learning_rate = 0.015
    config.training.steps = 1500
    config.training.presence_weight = 0.9
    config.training.skip_range_seconds = ((3 / 30, 9 / 30), (16 / 30, 50 / 30))
    default.apply(config, arguments, ARGUMENTS)
    return config


def best(config: Any) -> None:
    """Skips near k: 6 and 19 frames at 30 fps."""
    default.best(config)
    config.training.skip_range_seconds = ((0.15, 0.3), (0.48, 0.8))


ARGUMENTS = default.ARGUMENTS | {"best": best}
