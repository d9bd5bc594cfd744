"""The log of MEGC 2020: predictions beside labels, so that it needs the labels of a release."""

from pathlib import Path

import pandas as pd

from jaxspot.annotations.labels import read_labels
from jaxspot.errors import UserError
from jaxspot.evaluation.megc_log import megc_log

NEEDS_LABELS = (
    "megc2020 is a log of labels and predictions: name the release's workbook by --labels of"
    " `jaxspot export`, or take megc2022, which needs none"
)


def megc2020_file(spans: pd.DataFrame, labels: str | Path | None) -> bytes:
    """The log of all videos that have a label or an interval; see `megc_log`.

    UserError: no labels, or labels of neither SAMM-LV nor CAS(ME)^2.
    """
    if labels is None:
        raise UserError(NEEDS_LABELS)
    read = read_labels(labels)
    if read.release not in ("samm_lv", "cas_me2"):
        raise UserError(
            f"{labels}: holds no labels of SAMM-LV or CAS(ME)^2 as released; megc2020 is for these"
            " two, take megc2022 for others"
        )
    names = list(dict.fromkeys([*read.annotations.video, *spans.video]))
    return megc_log(spans, read.annotations, videos=names, dataset=read.release).encode()
