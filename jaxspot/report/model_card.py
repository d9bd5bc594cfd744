"""The page about the weights that come with jaxspot, of their card."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from jaxspot.files import write_text
from jaxspot.report.reliability import layout_reliability
from jaxspot.report.text_tables import markdown

PAGE = """\
# Model card

The weights that `jaxspot spot` uses if `--weights` is not given.
`jaxspot build_weights` wrote this page. Change its text in `jaxspot/report/model_card.py`.

| | |
|---|---|
| File | `jaxspot/weights/spotter.npz`, {megabytes:.2f} MB |
| sha256 | `{sha256}` |
| Networks | {networks}; `spot` uses the mean of their scores |
| Training data | {people} synthetic people (CC0 heads), {minutes:g} minutes, level "{level}" |
| Labels | {me} micro-expressions (ME), {mae} macro-expressions (MaE) |
| Real people in training | none |

## How they were made

The people are divided into {networks} groups. Each network is trained on all groups but two.
Thresholds, chances and their calibration are fitted on the mean scores of the two networks that
were not trained on a person. The command that makes the file again:

```
{command}
```

The weights are stored as float16. This changes scores by less than 0.001.

## What the chance means

`score` in `intervals.csv` is the chance that an interval is right: that its IoU with a labelled
expression of its kind is at least 0.5. It is fitted on synthetic people. On real videos, it
is **not** the share of intervals that are right. But it ranks them: look at the highest first.
By default, intervals are reported from a chance of {me_threshold:.2f} (ME) or {mae_threshold:.2f}
(MaE). These chances gave the best F1 on people left out.

## Figures on synthetic people left out

| | MaE | ME | Overall |
|---|---:|---:|---:|
| F1, by the chance | {f1_mae:.2f} | {f1_me:.2f} | {f1_overall:.2f} |
| F1, by a threshold on the curve | {rule_mae:.2f} | {rule_me:.2f} | {rule_overall:.2f} |
| Expected calibration error | {error_mae:.3f} | {error_me:.3f} | |

The first row is fitted on other people than those scored. The second is fitted on the people
scored, so it is a little too good. Each person is scored by the mean of two networks here, and of
all in `spot`.

{reliability}
In brackets: 95 % interval of the share.

## Limits

- No person with an expert's labels was part of training or of these figures.
- All 56 synthetic people were used. The synthetic benchmark must not be scored with these weights.
- Hands, speech, blinks and head turns give false intervals: see [Your own video](own_video.md).
- Most micro-expressions that are reported on real videos are false. A person must look at each.
- Scores say that a face moved, never what a person feels. Not for hiring, education, policing,
  border control, lie detection or diagnosis.
"""
COMMAND = "jaxspot build_weights --out=jaxspot/weights/spotter.npz --card=docs/model_card.md"


def write_model_card(path: str | Path, card: Mapping[str, Any], reliability: pd.DataFrame) -> None:
    """Writes the page of a card; `reliability` is `reliability_table` of both kinds, with kind."""
    write_text(path, model_card(card, reliability))


def model_card(card: Mapping[str, Any], reliability: pd.DataFrame) -> str:
    """The page as Markdown, see `write_model_card`."""
    data, f1, rule, error = (card[name] for name in ("data", "f1", "f1_rule", "calibration_error"))
    tables = {str(kind): table for kind, table in reliability.groupby("kind", sort=False)}
    title = "How often intervals are right beside the chance they were given:"
    return PAGE.format(
        command=COMMAND,
        megabytes=card["bytes"] / 1e6,
        sha256=card["sha256"],
        networks=card["networks"],
        people=data["people"],
        minutes=data["minutes"],
        level=data["level"],
        me=data["labels"]["ME"],
        mae=data["labels"]["MaE"],
        me_threshold=card["threshold"]["ME"],
        mae_threshold=card["threshold"]["MaE"],
        f1_me=f1["ME"],
        f1_mae=f1["MaE"],
        f1_overall=f1["overall"],
        rule_me=rule["ME"],
        rule_mae=rule["MaE"],
        rule_overall=rule["overall"],
        error_me=error["ME"],
        error_mae=error["MaE"],
        reliability=markdown(layout_reliability(tables), title=title),
    )
