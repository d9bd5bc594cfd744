"""Lines on labels and predictions that were scored, but may not have been meant so."""

from collections.abc import Iterator

import pandas as pd

from jaxspot.annotations.intervals import KINDS

SHOWN = 3


def doubt_labels(labels: pd.DataFrame, videos: pd.DataFrame, predicted: pd.DataFrame) -> Iterator:
    """Lines on labels that lack half of the videos, or a kind that was predicted.

    Tables have video and, but for `videos`, kind.
    """
    bare = videos_without(labels, videos)
    if 1 < len(videos) <= 2 * len(bare):
        yield (
            f"{len(bare)} of {len(videos)} videos have no label ({_listed(bare)}): taken as without"
            " expressions"
        )
    for kind in KINDS:
        count = int((predicted.kind == kind).sum())
        if count and len(labels) and not (labels.kind == kind).any():
            yield f"no label of kind {kind}: all {count} that are predicted count as false"


def doubt_predictions(predicted: pd.DataFrame, videos: pd.DataFrame) -> Iterator[str]:
    """A line on predictions that lack most of the videos; none at all are no doubt."""
    bare = videos_without(predicted, videos)
    if len(predicted) and 2 * len(bare) > len(videos):
        yield (
            f"{len(bare)} of {len(videos)} videos have no prediction ({_listed(bare)}): taken as"
            " nothing found"
        )


def videos_without(table: pd.DataFrame, videos: pd.DataFrame) -> list[str]:
    """The names of the videos that have no row in a table (video)."""
    return videos.video[~videos.video.isin(table.video)].tolist()


def _listed(names):
    more = [f"and {len(names) - SHOWN} more"] * (len(names) > SHOWN)
    return ", ".join([*names[:SHOWN], *more])
