"""BIDS: the events of a recording as *_events.tsv, and what its columns mean as *_events.json."""

import json

import pandas as pd

from jaxspot.exports.medium import Medium

COLUMNS = {
    "onset": {"Description": "Start of the first frame of the interval", "Units": "s"},
    "duration": {"Description": "From the onset to the end of the last frame", "Units": "s"},
    "trial_type": {
        "Description": "Kind of facial movement",
        "Levels": {
            "ME": "micro-expression: under 0.5 s",
            "MaE": "macro-expression: 0.5 s and longer",
        },
    },
    "apex": {"Description": "Start of the frame of the strongest movement", "Units": "s"},
    "score": {"Description": "How sure the interval is; n/a where a person added it"},
    "face": {"Description": "Number of the face in the video, from 0"},
}


def bids_table(spans: pd.DataFrame, medium: Medium) -> bytes:
    """The events of one video, tab-separated, in the order of onsets; n/a where a cell is blank."""
    table = pd.DataFrame(
        {
            "onset": spans.onset_s.round(6),
            "duration": (spans.offset_s - spans.onset_s).round(6),
            "trial_type": spans.kind,
            "apex": spans.apex_s.round(6),
            "score": spans.score,
            "face": spans.face,
        }
    )
    return table.to_csv(sep="\t", index=False, na_rep="n/a", lineterminator="\n").encode()


def bids_sidecar(spans: pd.DataFrame, medium: Medium) -> bytes:
    """What the columns of the events mean."""
    return (json.dumps(COLUMNS, indent=2) + "\n").encode()
