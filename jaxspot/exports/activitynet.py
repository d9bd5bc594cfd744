"""ActivityNet JSON, which temporal action detection reads, as predictions and as ground truth."""

import json
from collections.abc import Mapping

import pandas as pd

from jaxspot.exports.medium import Medium

SUBSET = "validation"


def activitynet_file(spans: pd.DataFrame, media: Mapping[str, Medium]) -> bytes:
    """One file for both uses: `results` are predictions, `database` is ground truth.

    Segments are in seconds. A row without a score, which a person added, has the score 1.
    """
    results, database = {}, {}
    for name, medium in media.items():
        rows = spans.loc[spans.video == name, ["kind", "onset_s", "offset_s", "score"]]
        cells = rows.values.tolist()
        found = [
            {"label": kind, "segment": [round(onset_s, 6), round(offset_s, 6)]}
            for kind, onset_s, offset_s, _ in cells
        ]
        scores = rows.score.fillna(1).tolist()
        results[name] = [one | {"score": score} for one, score in zip(found, scores, strict=True)]
        last = max((one["segment"][1] for one in found), default=0.0)
        rate = {} if medium.fps is None else {"fps": round(medium.fps, 6)}
        length = {"duration": medium.duration_s or last}
        database[name] = {"subset": SUBSET} | length | rate | {"annotations": found}
    whole = {"version": "VERSION 1.3", "results": results, "external_data": {}}
    return (json.dumps(whole | {"database": database}, indent=1) + "\n").encode()
