"""What a stream gave, frame by frame, and its tables once it has ended."""

from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from jaxspot.files import write_table
from jaxspot.own_video.results import write_folder
from jaxspot.report.clip_plot import plot_spotted
from jaxspot.spotting.spotter import Spotter
from jaxspot.spotting.video_file import Spotted, clip_frames, spot_faces
from jaxspot.video.clip import Clip
from jaxspot.video.face_clips import whole_video

STAGES = ("wait", "find", "align", "score")


class Spent(NamedTuple):
    """Seconds from the arrival of a frame to its scores, and where they went.

    `wait` until the frame is taken, `find` and follow the face, `align` it, `score` it.
    """

    wait: float
    find: float
    align: float
    score: float


class Row(NamedTuple):
    """A frame: time in seconds, face (-1: none), confidence, scores of ME and MaE (NaN: none).

    `missing`: no frame was there; `spent` is None then.
    """

    pts_s: float
    face: int = -1
    confidence: float = 0.0
    p_me: float = np.nan
    p_mae: float = np.nan
    missing: bool = False
    spent: Spent | None = None


class Record:
    """The rows of a stream's frames, from frame 0 on.

    `missing` counts the frames that were not there, `dropped` those of them that came but could not
    be taken in time.

    Args:
      name: of the stream; results are in a folder of this name.
      fps: frames per second.
    """

    def __init__(self, name: str, fps: float):
        self.name, self.fps = name, fps
        self.rows: list[Row] = []
        self.missing = self.dropped = 0

    def add(self, row: Row) -> None:
        """Adds the row of the next frame."""
        self.rows.append(row)
        self.missing += row.missing

    def scores(self, last: int | None = None) -> np.ndarray:
        """Scores of all frames or of the last ones, ME and MaE: float64 (n, 2)."""
        rows = self.rows if last is None else self.rows[-last:]
        return np.array([(row.p_me, row.p_mae) for row in rows], np.float64).reshape(-1, 2)

    def frames(self) -> pd.DataFrame:
        """One row a frame, as `clip_frames`, and a last column `missing`, 0 or 1."""
        table = clip_frames(self._clip(), self.scores())
        return table.assign(missing=[int(row.missing) for row in self.rows])

    def spotted(self, spotter: Spotter, min_chance: float | None = None) -> Spotted:
        """What the recorded scores show, as `spot_faces`; `frames` are those of `frames`."""
        found = spot_faces(
            whole_video(self._clip()),
            name=self.name,
            score=lambda shown, fps: np.asarray(shown.frames),
            intervals=partial(spotter.intervals, min_chance=min_chance),
            curves=spotter.curves,
            threshold=spotter.shown_threshold(),
            decision=spotter.decision(min_chance=min_chance),
        )
        return found._replace(frames=self.frames())

    def write(
        self, out: str | Path, spotter: Spotter, *, min_chance: float | None = None
    ) -> pd.DataFrame:
        """Writes frames.csv, scores.png and intervals.csv to OUT/<name>/ when all are whole.

        Returns the intervals. UserError: something else has a result's name.
        """
        found = self.spotted(spotter, min_chance)
        files = {
            "frames.csv": partial(write_table, found.frames),
            "scores.png": partial(plot_spotted, found),
            "intervals.csv": partial(write_table, found.intervals),
        }
        write_folder(Path(out) / self.name, files)
        return found.intervals

    def _clip(self) -> Clip:
        """The frames as a clip, of their scores in place of pictures."""
        faces = np.array([row.face for row in self.rows], np.int32)
        quality = np.array([(row.face >= 0, row.confidence) for row in self.rows], np.float32)
        times = np.array([row.pts_s for row in self.rows], np.float64)
        return Clip(self.scores(), quality.reshape(-1, 2), times, self.fps, faces)
