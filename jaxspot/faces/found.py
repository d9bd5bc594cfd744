"""What a method found on the benchmark: intervals, and scores where it has some."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from jaxspot.annotations.intervals import check_intervals
from jaxspot.errors import UserError
from jaxspot.faces.benchmark import Benchmark

SPAN = ["video", "kind", "onset", "offset"]


class Found(NamedTuple):
    """Intervals with SPAN, and `score` if they have one; scores of frames by video, or {}.

    Scores are float (frames, 2), ME and MaE.
    """

    intervals: pd.DataFrame
    scores: Mapping[str, np.ndarray]


def read_found(folder: str | Path, benchmark: Benchmark) -> Found:
    """Reads what `jaxspot spot` wrote: FOLDER/<video>/intervals.csv and frames.csv.

    UserError: a video of the benchmark is not there.
    """
    tables, scores = [], {}
    for video in benchmark.videos.video:
        place = Path(folder) / video
        if not (place / "intervals.csv").is_file():
            raise UserError(f"{place}: no intervals.csv; spot every video of the benchmark")
        table = pd.read_csv(place / "intervals.csv", dtype={"video": str})
        tables.append(table[[name for name in (*SPAN, "score") if name in table]])
        if (place / "frames.csv").is_file():
            scores[video] = pd.read_csv(place / "frames.csv")[["p_me", "p_mae"]].to_numpy(float)
    # A table without intervals has columns of objects.
    intervals = pd.concat(tables, ignore_index=True).astype({"onset": int, "offset": int})
    check_intervals(intervals, "video", what=str(folder), first=1)
    return Found(intervals, scores)
