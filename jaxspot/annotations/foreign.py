"""Files of annotation tools, known by what they hold: ELAN, BORIS, submissions to MEGC."""

from pathlib import Path

import pandas as pd

from jaxspot.annotations.boris import (
    is_boris_project,
    is_boris_text,
    read_boris_project,
    read_boris_text,
)
from jaxspot.annotations.columns import in_row
from jaxspot.annotations.csv_sheets import TABLES, csv_sheet
from jaxspot.annotations.elan import (
    is_eaf,
    is_elan_text,
    is_untitled_elan_text,
    read_eaf,
    read_elan_text,
)
from jaxspot.annotations.megc import is_megc, read_megc
from jaxspot.annotations.timed import Foreign, FrameTimes, TimesOf, foreign_labels
from jaxspot.errors import UserError

TITLED = ((is_megc, read_megc), (is_boris_text, read_boris_text), (is_elan_text, read_elan_text))
READERS = {"\t": (*TITLED, (is_untitled_elan_text, read_elan_text)), ",": TITLED}


def read_foreign(path: str | Path, data: bytes) -> Foreign | None:
    """The intervals of a file of ELAN, BORIS or MEGC; None for any other. `data` are its bytes.

    UserError names file and row (tier and annotation, observation and event).
    """
    if is_eaf(data):
        return read_eaf(path)
    if is_boris_project(data):
        return read_boris_project(path, data)
    if Path(path).suffix.lower() not in TABLES:
        return None
    for separator, readers in READERS.items():
        sheet = csv_sheet(path, data, separator=separator)
        for fits, read in readers:
            if sheet.rows and fits(sheet):
                return read(sheet)
    return None


def foreign_intervals(path: str | Path, foreign: Foreign, videos: pd.DataFrame) -> pd.DataFrame:
    """Predictions of such a file: subject, video, kind, onset, offset, in frames of `videos`.

    `videos` has video, frames, fps. A time past the last frame by rounding is that of the frame.
    UserError names file and row: a video that is not there, an interval past its end.
    """
    known = videos.set_index("video")
    rows = []
    for label in foreign_labels(foreign, rates_of(videos)):
        frames, subject = int(known.frames[label.video]), str(known.subject[label.video])
        onset, offset = int(label.span.onset), int(label.span.offset)
        if offset == frames + 1 and not foreign.frames:
            offset = frames
        if offset > frames or onset > offset:
            raise UserError(
                f"{in_row(path, label.row)}: ends with frame {offset}, but video {label.video!r}"
                f" has {frames}"
            )
        rows.append((subject, label.video, label.kind, onset, offset))
    return pd.DataFrame(rows, columns=["subject", "video", "kind", "onset", "offset"])


def rates_of(videos: pd.DataFrame) -> TimesOf:
    """The frame rate and length of each video of a table (video, frames, fps)."""
    rows = zip(*(videos[name].tolist() for name in ("video", "fps", "frames")), strict=True)
    return {video: FrameTimes(fps, frames=frames) for video, fps, frames in rows}.get
