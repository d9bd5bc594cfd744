"""Synthetic long videos: the embedded default, made on the spot. Figures are in the README.

  make demo
  python launch/train.py --config=configs/synthetic.py:best --workdir=runs/demo
  python launch/train.py --config=configs/synthetic.py:paper --workdir=runs/paper

At most 10 epochs, for :paper as for :best, so that both see as many samples.

Arguments: paper (the default), best, hard, easy (the level of difficulty); they combine by comma.
"""

from typing import Any

from ml_collections import ConfigDict

from configs import default


def get_config(arguments: str = "") -> Any:
    """Settings for synthetic videos at 30 fps."""
    config = default.paper()
    config.data.name = "synthetic"
    config.training.epochs = 10
    config.data.synthetic = ConfigDict(
        dict(
            subjects=12,
            videos_per_subject=1,
            seconds=20.0,
            fps=30.0,
            me_per_minute=9.0,
            mae_per_minute=8.0,
            level="default",
        )
    )
    changes = {"paper": lambda config: None, "best": default.best}
    changes |= {level: _level(level) for level in ("easy", "hard")}
    default.apply(config, arguments, changes)
    return config


def _level(name):
    def change(config):
        config.data.synthetic.level = name

    return change
