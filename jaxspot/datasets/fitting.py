"""The labels of a data set fitted to its videos; too many that do not fit are a mistake."""

from pathlib import Path

import pandas as pd

from jaxspot.annotations.repairs import Labels, fit_to_videos, left_out
from jaxspot.datasets.dataset import Dataset
from jaxspot.errors import UserError

LONG = 2**31
MOST_LEFT_OUT = 0.5  # of all labels; of a release, many videos may be left away on purpose


def fit_labels(dataset: Dataset, videos: pd.DataFrame) -> Labels:
    """The labels of a data set fitted to its videos; 0 frames: the length is not known.

    UserError: as `fit_to_videos`; more than half of the labels are of no video or begin past the
    end of theirs. Labels of a release may be of videos that are not there.
    """
    known = videos.assign(frames=videos.frames.where(videos.frames > 0, LONG))
    labels = fit_to_videos(dataset.labels, known, rules=dataset.rules)
    lost = labels.repairs.loc[left_out(labels.repairs)]
    nameless = lost[(lost.rule == "no_video") & (not labels.release)]
    late = lost[(lost.rule == "past_end") & lost.after.str.contains("the video ends")]
    total = len(dataset.labels.annotations)
    bad = len(nameless) + len(late)
    if bad <= MOST_LEFT_OUT * total:
        return labels
    reasons = []
    if len(nameless):
        named = ", ".join(repr(name) for name in nameless.video.unique()[:3])
        have = ", ".join(repr(name) for name in videos.video[:3])
        reasons.append(f"no video is called as in {len(nameless)} ({named}; videos are {have})")
    if len(late):
        where = late.iloc[0]
        row = f"row {where.row}"
        row = row if Path(labels.file).name == where.file else f"{where.file}, {row}"
        reasons.append(
            f"{len(late)} begin past the end of their video ({row}: {where.before}); are they"
            " milliseconds? They must be frames from 1"
        )
    raise UserError(
        f"{labels.file}: {bad} of {total} labels do not fit: {'; '.join(reasons)}. Correct these"
        " rows, or delete them"
    )
