"""SAMM-LV with Table 3's values, on a bank that `prepare` has made of it.

  jaxspot prepare --dataset=samm_lv --source=SAMM-LV --out=banks/samm_lv
  jaxspot train --config=samm_lv --config.data.bank=banks/samm_lv --out=runs/samm_lv

The videos were not at hand, so no figures of a real run are known. On made-up frames, :best took
2.5 GB and would take 1.2 hours on two cores (docs/speed.md). The paper reports F1
of 0.1863 (MaE), 0.0409 (ME) and 0.1193 overall (Table 5, k-th frame skip). Its thresholds
come from the ROC of the test results (section 4.1); which point of the curve it does not say.

An epoch of :paper is 1,500 steps of 16 samples: one frame in 20, ten a second.

Region motion: prepare as in docs/real_data.md, then --config=samm_lv:motion. It has not been run on
the real pack.

Arguments: paper (the default), best, motion and convolution, as in the config default.
"""

from typing import Any

from jaxspot.training.frame_skips import SAMM_LV

from . import default


def get_config(arguments: str = "") -> Any:
    """Settings for SAMM-LV."""
    config = default.paper()
    config.data.name = "SAMM-LV"
    config.training.learning_rate = 0.007
    config.training.steps = 1500
    config.training.presence_weight = 0.75
    config.training.skip_range_seconds = SAMM_LV
    default.apply(config, arguments, ARGUMENTS)
    return config


def best(config: Any) -> None:
    """Skips near k: 37 and 217 frames at 200 fps."""
    default.best(config)
    config.training.skip_range_seconds = ((0.14, 0.28), (0.81, 1.38))


ARGUMENTS = default.ARGUMENTS | {"best": best}
