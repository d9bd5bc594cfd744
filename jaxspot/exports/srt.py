"""SubRip (.srt): subtitles that nearly all video players and editors take."""

import io

import pandas as pd

from jaxspot.exports.medium import Medium
from jaxspot.exports.webvtt import captions


def srt_file(spans: pd.DataFrame, medium: Medium) -> bytes:
    """The subtitles of one video, in UTF-8; intervals may overlap."""
    text = io.StringIO()
    captions(spans).write(text, format="srt")
    return text.getvalue().rstrip("\n").encode() + b"\n"
