"""WebVTT: captions that a video player shows over the video."""

import pandas as pd

from jaxspot.exports.medium import Medium
from jaxspot.exports.tiers import find_cues


def webvtt_file(spans: pd.DataFrame, medium: Medium) -> bytes:
    """The captions of one video, in UTF-8; intervals may overlap."""
    return captions(spans).content.encode() + b"\n"


def captions(spans: pd.DataFrame):
    """A `webvtt.WebVTT` with a caption an interval; it names the face where there are several."""
    from webvtt import Caption, WebVTT

    cues = find_cues(spans)
    several = len({cue.face for cue in cues}) > 1
    made = [
        Caption(clock(cue.start_ms), clock(cue.stop_ms), cue.caption(face=several)) for cue in cues
    ]
    return WebVTT(captions=made)


def clock(time_ms: int) -> str:
    """Milliseconds as '00:00:01.250'."""
    seconds, ms = divmod(time_ms, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{ms:03}"
