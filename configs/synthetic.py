"""Synthetic long videos: the embedded default, made on the spot. Figures are in docs/results.md.

  make demo
  jaxspot train --config=synthetic:best --out=runs/demo
  jaxspot train --config=synthetic:paper --out=runs/paper
  jaxspot train --config=synthetic:benchmark,best --out=runs/bench_best
  jaxspot train --config=synthetic:benchmark,uneven,paper --out=runs/uneven
  jaxspot train --config=ablations:benchmark,ablation --out=runs/ablations

Epochs of 3,200 samples for :paper, until the validation loss has not improved for 5; for :best 20
of 1,600, all of them, and 10 in the demo.

Arguments, combined by comma:
  paper (the default), best, convolution   settings of the method, see default.py
  easy, hard, uneven          the level of difficulty instead of "default"; uneven has strong light
                              from one side that changes within seconds, otherwise it is "default"
  untidy                      turns of the head, speech, cuts and a video codec, as posed crops show
                              them. It is not part of the frozen benchmark
  benchmark                   the research size: 24 subjects of 30 s at 30 fps (21,600 frames,
                              144 ME and 96 MaE), in place of the demo's 12 of 20 s
  fps200                      200 fps; the benchmark then has 15 s a subject (72,000 frames, 0.9 GB,
                              72 ME and 48 MaE), the same scenes a second
  ablation                    the benchmark's first 12 subjects alone
  choices                     the benchmark's scenes with the 20 people of the other half

Each level at each rate is a bank of its own: one number over a mix of levels would follow the mix,
and what is claimed of a level (LCN under uneven light) needs its own row. The same people play the
same scripts at every level, so levels and methods are compared subject by subject.

Seconds to train the benchmark's networks at 30 fps on one NVIDIA H200, another training beside it
and compiling not counted: :paper 58 (39 epochs of 24 folds), :best 10 (24 folds and 28 inner). On
two cores without a GPU :paper takes hours: a step of one fold takes 35 to 70 ms, and a fold trains
18 epochs of 200 steps on average.

The heads are 56 people, split before the first comparison:
  1-12             the demo
  17-36            choices: :best was tuned on them, and whatever is chosen next is chosen on them
  13-16, 37-56     figures: the benchmark. Nothing was or may be chosen by what they show;
                   `ablation` is a figure too
The scenes of the benchmark have a seed of their own; --config.seed leaves them as they are. They
are frozen (jaxspot/synthetic/frozen.json, checked by tests/test_synthetic_frozen.py): whoever
changes the generator writes that file anew (launch/freeze_benchmark.py --write) and runs every
method again.
"""

from typing import Any

from ml_collections import ConfigDict

from jaxspot.errors import UserError

from . import default

FIGURES = (*range(37, 57), *range(13, 17))
CHOICES = tuple(range(17, 37))
LEVELS = ("easy", "hard", "uneven")


def get_config(arguments: str = "") -> Any:
    """Settings for synthetic videos, at 30 fps unless told otherwise."""
    config = default.paper()
    config.data.name = "synthetic"
    config.data.synthetic = ConfigDict(
        dict(
            subjects=12,
            people=(),
            videos_per_subject=1,
            seconds=20.0,
            fps=30.0,
            me_per_minute=9.0,
            mae_per_minute=8.0,
            level="default",
        )
    )
    words = [word for word in arguments.split(",") if word]
    changes = ARGUMENTS | ({"best": default.best} if "benchmark" in words else {})
    words.sort(key=lambda word: word != "benchmark")
    if {"ablation", "choices"} & set(words) and "benchmark" not in words:
        raise UserError("config arguments ablation and choices go with benchmark")
    default.apply(config, ",".join(words), changes)
    if "benchmark" in words:
        scene = config.data.synthetic
        subset = "".join(f"_{word}" for word in ("ablation", "choices") if word in words)
        config.data.name = f"benchmark_{scene.level}_{scene.fps:.0f}fps{subset}"
    return config


def benchmarks() -> dict[str, dict[str, Any]]:
    """The scenes of all banks of the benchmark, by name."""
    configs = [
        get_config(f"benchmark,{level},{rate}")
        for rate in ("", "fps200")
        for level in ("", *LEVELS)
    ]
    return {config.data.name: config.data.synthetic.to_dict() for config in configs}


def _short_best(config):
    default.best(config)
    config.training.epochs = 10


def _benchmark(config):
    config.data.synthetic.update(
        subjects=24, people=FIGURES, seconds=30.0, me_per_minute=12.0, seed=1
    )


def _fps200(config):
    scene = config.data.synthetic
    scene.fps, scene.seconds = 200.0, scene.seconds / 2


def _ablation(config):
    config.data.synthetic.subjects = 12


def _choices(config):
    config.data.synthetic.update(people=CHOICES, subjects=len(CHOICES))


def _level(name):
    def change(config):
        config.data.synthetic.level = name

    return change


ARGUMENTS = (
    default.ARGUMENTS
    | {"best": _short_best}
    | {level: _level(level) for level in (*LEVELS, "untidy")}
    | dict(benchmark=_benchmark, fps200=_fps200, ablation=_ablation, choices=_choices)
)
