"""F1 before and after fine-tuning on 1, 3, 10... synthetic people that the weights never saw."""

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from jaxspot.errors import UserError
from jaxspot.experiment.build_weights import build_weights
from jaxspot.experiment.finetuning import f1_of_spotter, finetune_weights
from jaxspot.experiment.settings import read_settings
from jaxspot.files import write_table
from jaxspot.spotting.saved_spotter import load_spotter
from jaxspot.synthetic.generate import synthetic_bank
from jaxspot.synthetic.heads import load_heads
from jaxspot.video.bank import Bank, open_bank

TABLE = "finetuning.csv"
COLUMNS = ("people", "draw", "minutes", "ME", "MaE", "overall")


class Split(NamedTuple):
    """Numbers of heads, from 1, in three parts that share nobody."""

    trained: tuple[int, ...]
    reviewed: tuple[int, ...]
    tested: tuple[int, ...]


def split_heads(trained: int, reviewed: int, tested: int, *, seed: int = 0) -> Split:
    """So many heads for each part, in an order drawn by `seed`.

    Raises:
      UserError: there are fewer heads.
    """
    heads, asked = len(load_heads()), trained + reviewed + tested
    if asked > heads or min(trained, reviewed, tested) < 1:
        raise UserError(
            f"{trained} trained, {reviewed} reviewed and {tested} tested people asked for; the"
            f" heads are {heads}, and each part needs one"
        )
    order = (1 + np.random.default_rng(seed).permutation(heads)).tolist()
    first = trained + reviewed
    return Split(
        tuple(order[:trained]), tuple(order[trained:first]), tuple(order[first : first + tested])
    )


def draws(people: Sequence[int], count: int, most: int) -> list[tuple[int, ...]]:
    """At most `most` sets of `count` people that share as few as possible, each set once."""
    found = [
        tuple(sorted(people[(turn * count + i) % len(people)] for i in range(count)))
        for turn in range(most)
    ]
    return list(dict.fromkeys(found))


def finetuning_curve(
    base: Any,
    tuning: Callable[[], Any],
    out: str | Path,
    *,
    split: Split,
    counts: Sequence[int] = (1, 3, 10),
    most: int = 3,
    scene: Mapping[str, Any],
) -> pd.DataFrame:
    """Trains weights on the first part, tunes them on people of the second, scores the third.

    What is done already in `out` is not done again, so a call that was cut goes on.

    Args:
      base: a config as `shipped`; its people are set to those of the first part.
      tuning: makes a config as `reviewed`; bank and start are set.
      out: folder of banks, weights and `finetuning.csv`.
      split: who trains, is reviewed, and is tested.
      counts: how many people are reviewed.
      most: sets of people drawn for each count.
      scene: of the videos of the second and third part, see `synthetic_bank`.

    Returns:
      people (0: before), draw, minutes of reviewed video, and F1 of ME, MaE and overall.
    """
    out = Path(out)
    if max(counts) > len(split.reviewed) or min(counts) < 1:
        raise UserError(f"counts must lie in 1..{len(split.reviewed)}, the people reviewed")
    base.data.synthetic.people = split.trained
    base.data.synthetic.subjects = len(split.trained)
    weights = out / "base" / "spotter.npz"
    if not weights.exists():
        build_weights(base, weights, out / "work" / "base", resume=True)
    test = _bank(out / "banks" / "tested", split.tested, scene)
    protocol = read_settings(tuning()).protocol
    rows = [(0, 0, 0.0, *_f1(test, weights, protocol))]
    for count in counts:
        for draw, people in enumerate(draws(split.reviewed, count, most)):
            name = f"{count}_people_{draw}"
            print(f"fine-tuning on {name}: heads {people}", file=sys.stderr)
            bank = _bank(out / "banks" / name, people, scene)
            tuned = out / name / "spotter.npz"
            if not tuned.exists():
                config = tuning()
                config.data.bank, config.start = str(bank.root), str(weights)
                finetune_weights(config, tuned, out / "work" / name, resume=True)
            minutes = float((bank.videos.frames / bank.videos.fps).sum() / 60)
            rows.append((count, draw, round(minutes, 2), *_f1(test, tuned, protocol)))
            write_table(pd.DataFrame(rows, columns=list(COLUMNS)), out / TABLE)
    return pd.DataFrame(rows, columns=list(COLUMNS))


def mean_of_draws(table: pd.DataFrame) -> pd.DataFrame:
    """One row for each number of people: the means over its draws, and how many there were."""
    groups = table.groupby("people")
    means: Any = groups[["minutes", "ME", "MaE", "overall"]].mean()
    return means.assign(draws=groups.size()).reset_index()


def _bank(root: Path, people: Sequence[int], scene: Mapping[str, Any]) -> Bank:
    if (root / "bank.json").exists():
        return open_bank(root)
    return synthetic_bank(root, people=people, subjects=len(people), **scene)


def _f1(bank, weights, protocol):
    found = f1_of_spotter(bank, load_spotter(weights), protocol)
    return found["ME"], found["MaE"], found["overall"]
