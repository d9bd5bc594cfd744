"""The weights that come with jaxspot: all synthetic people, each scored by a network of others.

  jaxspot build_weights --out=spotter.npz

The people are divided into groups, which are thought to stand in a ring. Each network is trained on
all groups but two neighbours. The thresholds and the judge are fitted on the mean scores of the two
networks that were not trained on a person; the weights that are written are those of all networks,
used together.

A distractor of the videos can be left out, to see what it contributes (see `WITHOUT` in
jaxspot/synthetic/difficulty.py):

  jaxspot build_weights --out=quiet.npz --config.data.synthetic.left_out="('speech',)"

With `:causal`, frames are compared with earlier ones only: the weights of `jaxspot live`.

  jaxspot build_weights --config=shipped:causal --out=jaxspot/weights/causal.npz

These are all 56 people, also those of the benchmark: its figures may not be taken with these
weights.
"""

from typing import Any

from ml_collections import ConfigDict

from . import default


def get_config(arguments: str = "") -> Any:
    """Settings for the weights that come with jaxspot."""
    config = default.paper()
    default.best(config)
    config.training.epochs, config.training.steps = 25, 100
    config.data.name = "synthetic"
    config.data.synthetic = ConfigDict(
        dict(
            subjects=56,
            people=(),
            videos_per_subject=2,
            seconds=40.0,
            fps=30.0,
            me_per_minute=9.0,
            mae_per_minute=8.0,
            level="untidy",
            left_out=(),
            seed=13,
        )
    )
    config.weights = ConfigDict(dict(groups=8))
    default.apply(config, arguments, ARGUMENTS)
    return config


ARGUMENTS = default.ARGUMENTS
