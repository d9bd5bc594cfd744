"""The submission of MEGC 2022: vid, pred_onset, pred_offset, type, in frames from 1."""

from collections.abc import Mapping

import pandas as pd

from jaxspot.exports.medium import Medium
from jaxspot.files import table_text


def megc2022_file(spans: pd.DataFrame, media: Mapping[str, Medium]) -> bytes:
    """The rows of all videos; type is me or mae, frames are those of the video as it was read."""
    table = pd.DataFrame(
        {
            "vid": spans.video,
            "pred_onset": spans.onset,
            "pred_offset": spans.offset,
            "type": spans.kind.str.lower(),
        }
    )
    return table_text(table).encode()
