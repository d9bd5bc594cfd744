"""Praat: a TextGrid with an interval tier for each kind and face; tiers tile the file."""

import pandas as pd

from jaxspot.exports.medium import Medium
from jaxspot.exports.tiers import tiers


def textgrid_file(spans: pd.DataFrame, medium: Medium) -> bytes:
    """The TextGrid of one video, in the long text format, in UTF-8.

    Without a known length of the video, it ends with the last interval.
    """
    from praatio.utilities.constants import Interval
    from praatio.utilities.textgrid_io import getTextgridAsStr

    parts = list(tiers(spans))
    ends = [tier.cues[-1].stop_ms / 1000 for tier in parts if tier.cues]
    size = {"xmin": 0.0, "xmax": max([medium.duration_s or 0.001, *ends])}
    described = [
        size
        | {
            "class": "IntervalTier",
            "name": tier.name,
            "entries": [
                Interval(cue.start_ms / 1000, cue.stop_ms / 1000, cue.caption())
                for cue in tier.cues
            ],
        }
        for tier in parts
    ]
    grid = size | {"tiers": described}
    return getTextgridAsStr(grid, "long_textgrid", includeBlankSpaces=True).encode()
