"""Fine-tuning: the weights that come with jaxspot, trained on with people that you reviewed.

  jaxspot prepare --dataset=reviewed --source=spotted --videos=recordings --out=banks/ours
  jaxspot build_weights --config=reviewed --config.data.bank=banks/ours \\
      --workdir=runs/ours --out=ours/spotter.npz
  jaxspot spot --weights=ours/spotter.npz new.mp4

All networks of the start are trained on with all people, few epochs at a low learning rate. Of n
people, the file gets the weights n / (n + `finetuning.start_people`) of the way from the start to
where training ended, because a few people alone lead too far. With 10 people or more,
`finetuning.networks` more networks leave out each of `finetuning.groups` groups of people (one
person a group, while there are enough groups). What they find in the people left out gives the
calibration of the chances, the thresholds, and the F1 that is printed. With fewer people, chances
and thresholds are those of the start.

`start` may be other weights, with --config.model as they were trained. See docs/finetuning.md.
"""

from typing import Any

from ml_collections import ConfigDict

from . import default


def get_config(arguments: str = "") -> Any:
    """Settings for a bank of reviewed people."""
    config = default.paper()
    default.best(config)
    config.start = "shipped"
    config.training.epochs, config.training.steps = 4, 50
    config.training.learning_rate = 0.0005
    config.training.averaging = 0.95
    config.data.name = "reviewed"
    config.peers = ()
    config.finetuning = ConfigDict(dict(groups=8, networks=2, start_people=3.0))
    default.apply(config, arguments, ARGUMENTS)
    return config


ARGUMENTS = default.ARGUMENTS
