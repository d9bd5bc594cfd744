"""CAS(ME)^2 with Table 3's values, the defaults, on a bank that `prepare` has made of it.

  jaxspot prepare --dataset=cas_me2 --source=CASME2 --out=banks/cas_me2
  jaxspot train --config=cas_me2 --config.data.bank=banks/cas_me2 --out=runs/cas_me2

The videos were not at hand: neither time nor figures of a real run are known. The paper reports F1
of 0.0686 (MaE), 0.0119 (ME) and 0.0497 overall (Table 5, k-th frame skip). Its thresholds
come from the ROC of the test results (section 4.1); which point of the curve it does not say.

An epoch of :paper is 1,500 steps of 16 samples: one frame in 10, three a second.

Region motion was at hand (docs/real_data.md): 0.49 (MaE), 0.12 (ME) and 0.41 overall.

  jaxspot prepare --dataset=cas_me2 --source=PACK --labels=WORKBOOK.xlsx --out=banks/cas_motion
  jaxspot train --config=cas_me2:motion --config.data.bank=banks/cas_motion --out=runs/cas_motion

Arguments: paper (the default), best, motion and convolution, as in the config default.
"""

from typing import Any

from . import default


def get_config(arguments: str = "") -> Any:
    """Settings for CAS(ME)^2."""
    config = default.paper()
    config.data.name = "CAS(ME)^2"
    config.data.inclusive = False
    config.training.steps = 1500
    default.apply(config, arguments, ARGUMENTS)
    return config


def best(config: Any) -> None:
    """Skips near k: 6 and 19 frames at 30 fps."""
    default.best(config)
    config.training.skip_range_seconds = ((0.15, 0.3), (0.48, 0.8))


ARGUMENTS = default.ARGUMENTS | {"best": best}
