"""ELAN: an .eaf file with a tier for each kind and face."""

import mimetypes
from datetime import UTC, datetime

import pandas as pd

from jaxspot.exports.medium import Medium
from jaxspot.exports.tiers import tiers

XML = b'<?xml version="1.0" encoding="UTF-8"?>\n'


def eaf_file(spans: pd.DataFrame, medium: Medium) -> bytes:
    """The .eaf file of one video: whole milliseconds, a relative path, no overlap in a tier.

    Intervals of one kind and face that overlap go into further tiers, such as 'ME face 0 (2)'.
    """
    from pympi.Elan import Eaf, to_string

    eaf = Eaf(author="jaxspot")
    eaf.adocument["DATE"] = datetime.now(UTC).isoformat(timespec="seconds")
    eaf.header = {"MEDIA_FILE": "", "TIME_UNITS": "milliseconds"}
    if medium.file:
        kind = mimetypes.guess_type(medium.file)[0] or "unknown"
        path = medium.file if medium.file.startswith("../") else f"./{medium.file}"
        eaf.add_linked_file(path, relpath=path, mimetype=kind)
    eaf.remove_tier("default")
    parts = list(tiers(spans))
    ends = [
        (time, at, number, end)
        for at, tier in enumerate(parts)
        for number, cue in enumerate(tier.cues)
        for end, time in enumerate((cue.start_ms, cue.stop_ms))
    ]
    # ELAN wants slots in the order of time, which adding annotations one by one does not give.
    slots = {tuple(rest): eaf.generate_ts_id(time) for time, *rest in sorted(ends)}
    for at, tier in enumerate(parts):
        eaf.add_tier(tier.name, part=tier.subject or None)
        for number, cue in enumerate(tier.cues):
            name = eaf.generate_annotation_id()
            start, stop = (slots[at, number, end] for end in (0, 1))
            eaf.tiers[tier.name][0][name] = (start, stop, cue.caption(), None)
            eaf.annotations[name] = tier.name
    eaf.properties = [("lastUsedAnnotationId", eaf.maxaid)]
    return XML + to_string(eaf, encoding="UTF-8")
