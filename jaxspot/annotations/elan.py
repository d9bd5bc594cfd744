"""Intervals annotated in ELAN: its .eaf files, and its export as tab-delimited text."""

import re
import warnings
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from jaxspot.annotations.columns import in_row
from jaxspot.annotations.sheets import Sheet
from jaxspot.annotations.timed import Foreign, Timed, one_kind, seconds, video_name
from jaxspot.errors import UserError

FORMATS = {
    "hh:mm:ss.ms": (re.compile(r"\d+:\d\d:\d\d[.,]\d{3}"), 1.0),
    "ss.msec": (re.compile(r"\d+[.,]\d+"), 1.0),
    "msec": (re.compile(r"\d+"), 0.001),
}
FACE = re.compile(r"\bface[ _]?(\d+)", re.IGNORECASE)
DURATION = re.compile(r"duration|dur[aée]|dauer|duur", re.IGNORECASE)
TOLERANCE_S = 0.002
LONGEST_S = 4.0  # no expression lasts longer
BEGIN_END = (
    "its two columns of times are read as begin and end; if the second is the duration, export it"
    " from ELAN with begin and end time"
)
NO_COLUMNS = (
    "holds no begin and end time in each row; export it from ELAN as tab-delimited text"
    " with begin and end time, as hh:mm:ss.ms, ss.msec or msec"
)


def is_eaf(data: bytes) -> bool:
    """Whether the bytes are those of an .eaf file."""
    return b"<ANNOTATION_DOCUMENT" in data[:4096]


def read_eaf(path: str | Path) -> Foreign:
    """Every time-aligned annotation of an .eaf file; its kind is in the name of the tier or in it.

    The video is the first media file, by its name without ending; without one, the .eaf file's.
    Tiers that depend on others (notes on them) are not read. UserError: only such tiers hold
    intervals, or an annotation is wrong, with file, tier and annotation.
    """
    eaf = _opened(path)
    media = [one for one in eaf.media_descriptors if one.get("MEDIA_URL")]
    first: dict[str, Any] = media[0] if media else {}
    url = first.get("MEDIA_URL", str(path))
    video = video_name(unquote(url) if url.startswith("file:") else url)
    origin = int(first.get("TIME_ORIGIN") or 0)
    rows, passed = [], ""
    for tier, (aligned, _, attributes, _) in eaf.tiers.items():
        if "PARENT_REF" in attributes:
            passed = tier if aligned else passed
            continue
        for name, (start, stop, value, _) in aligned.items():
            place = f"{path}, tier {tier!r}, annotation {name}"
            begin, end = (eaf.timeslots.get(slot) for slot in (start, stop))
            if begin is None or end is None:
                raise UserError(f"{place}: has no begin or end time; give it one in ELAN")
            onset, offset = (begin + origin) / 1000, (end + origin) / 1000
            kind = one_kind(place, {"the tier": tier, "the annotation": value or ""})
            who = _face(tier), attributes.get("PARTICIPANT", "").strip()
            rows.append(Timed(place, len(rows) + 1, video, kind, onset, offset, *who))
    if passed and not rows:
        raise UserError(
            f"{path}: only tiers that depend on others hold intervals ({passed!r}); in ELAN, change"
            " the parent of that tier to none"
        )
    return Foreign(tuple(rows))


def is_elan_text(sheet: Sheet) -> bool:
    """Whether a sheet is ELAN's export as text with a row of titles, such as 'End Time - msec'."""
    titles = [str(cell).strip() for cell in sheet.rows[0].cells]
    return any(title.endswith(f" - {word}") for title in titles for word in FORMATS)


def is_untitled_elan_text(sheet: Sheet) -> bool:
    """Whether a sheet is such an export without titles: each row has two times of one format."""
    times = _time_columns(sheet.rows)
    return times is not None and times[1] > 0


def read_elan_text(sheet: Sheet) -> Foreign:
    """Intervals of ELAN's export as tab-delimited text, with or without a row of titles.

    Tier names stand in the first column, or each tier has a column. The video of a row is the file
    named in it; if none is, the text file's name without ending. UserError names file and row.
    """
    titles = sheet.rows[0] if is_elan_text(sheet) else None
    body = sheet.rows[1:] if titles else sheet.rows
    times = _time_columns(body) if body else None
    if times is None:
        raise UserError(f"{sheet.path}: {NO_COLUMNS}")
    word, begin, end, last = times
    if titles and any(DURATION.search(_cell(titles, at)) for at in (begin, end)):
        raise UserError(f"{sheet.path}: {NO_COLUMNS}")
    files = _file_column(body, last)
    rows, unknown = [], titles is None and last == end
    for row in body:
        place = in_row(sheet.path, row.number)
        video = video_name(_cell(row, files) if files is not None else sheet.path)
        onset, offset = (_time(row, at, word) for at in (begin, end))
        for tier, value in _values(row, titles, begin, last, files):
            kind = one_kind(place, {"the tier": tier, "the annotation": value})
            rows.append(Timed(place, row.number, video, kind, onset, offset, _face(tier)))
    unknown = unknown and all(row.offset <= LONGEST_S for row in rows)
    return Foreign(tuple(rows), notes=(BEGIN_END,) if unknown else ())


def _opened(path):
    from pympi.Elan import Eaf

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the version of the format
            return Eaf(str(path))
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None
    except Exception as error:  # pympi raises whatever a wrong file leads to
        reason = " ".join(str(error).split())[:80]
        raise UserError(
            f"{path}: is not a readable .eaf file ({type(error).__name__}: {reason}); open it in"
            " ELAN and save it again"
        ) from None


def _face(tier):
    """The number of the face that a tier is of, as in the tiers that jaxspot exports; else ''."""
    found = FACE.search(tier)
    return found[1] if found else ""


def _values(row, titles, begin, last, files):
    """(tier, annotation) of a row: one, or one for each tier's column that is filled."""
    if titles is None or begin > 0:
        return [(_cell(row, 0), _cell(row, last + 1))]
    places = [at for at in range(last + 1, len(row.cells)) if at != files]
    return [(_cell(titles, at), value) for at in places if (value := _cell(row, at))]


def _time_columns(rows):
    """(format, column of begin, of end, last column of times), or None if rows have no times."""
    width = max(len(row.cells) for row in rows)
    found = {}
    for word, (pattern, _) in FORMATS.items():
        columns = [at for at in range(width) if all(pattern.fullmatch(_cell(r, at)) for r in rows)]
        triples = zip(columns, columns[1:], columns[2:], strict=False)
        times = next((three for three in triples if _agree(rows, three, word)), None)
        # Two columns are times only if no third could be meant.
        if times is None and len(columns) == 2 and _agree(rows, columns, word):
            times = columns
        if times:
            found[word] = times
    last = max((times[-1] for times in found.values()), default=-1)
    return next(((word, times[0], times[1], last) for word, times in found.items()), None)


def _agree(rows, columns, word):
    """Whether no end is before its beginning, and a third time is the duration."""
    for row in rows:
        begin, end, *rest = (_time(row, at, word) for at in columns)
        if end < begin or any(abs(end - begin - duration) > TOLERANCE_S for duration in rest):
            return False
    return True


def _time(row, at, word):
    return seconds("", "a time", _cell(row, at).replace(",", "."), unit=FORMATS[word][1])


def _file_column(rows, last):
    """The column after the times that holds a file name in every row, or None."""
    width = max(len(row.cells) for row in rows)
    for at in range(last + 1, width):
        if all(re.search(r"\.\w{2,4}$", _cell(row, at)) for row in rows):
            return at
    return None


def _cell(row, at):
    return str(row.cells[at]).strip() if at < len(row.cells) else ""
