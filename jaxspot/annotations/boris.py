"""Intervals coded in BORIS: its exports of events as a table, and its project files."""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from jaxspot.annotations.columns import in_row
from jaxspot.annotations.sheets import HEADER_ROWS, Row, Sheet
from jaxspot.annotations.timed import Foreign, Timed, one_kind, seconds, video_name
from jaxspot.errors import UserError

EVENTS = ("Behavior", "Time")
AGGREGATED = ("Behavior", "Start (s)", "Stop (s)")
NUMBER = re.compile(r"\d+(\.\d+)?")
STATUS = ("Behavior type", "Status")  # of BORIS 8 and later, and of those before
MEDIA = ("Media file name", "Media file path", "Media file")
NO_FILE = ("", "NA", "Not found")
NOBODY = ("", "na", "no focal subject")
BESIDE = re.compile(r" \(\d+\)$")  # a second row of one subject, in what jaxspot exports
LENGTH = "Media duration (s)"
POINT = "is a point event; make it a state event in BORIS, with a start and a stop"


class Event(NamedTuple):
    """One row of events: a state begins or ends; `key` tells apart states of one behaviour."""

    place: str
    row: int
    video: str
    code: str
    subject: str
    key: tuple[str, ...]
    time_s: float
    status: str


def is_boris_text(sheet: Sheet) -> bool:
    """Whether a sheet is an export of BORIS: of events, or of aggregated events."""
    return _header(sheet) is not None


def read_boris_text(sheet: Sheet) -> Foreign:
    """Intervals of BORIS's tabular events, a row for START and for STOP, or aggregated events.

    The kind is what the behaviour begins with. The video is the media file, by its name without
    ending; without one, the observation. UserError names file and row: a point event, a START
    without a STOP, a time offset.
    """
    header = _header(sheet)
    assert header is not None
    named, below = header
    aggregated = all(name in named for name in AGGREGATED)
    rows, events, lasts = [], [], {}
    played: dict[str, dict[str, None]] = {}
    for row in below:
        place = in_row(sheet.path, row.number)
        cell = lambda name, row=row: _cell(row, named.get(name))
        _refuse_offset(place, cell("Time offset (s)"))
        video = _video(sheet, cell)
        played.setdefault(cell("Observation id"), {})[video] = None
        if NUMBER.fullmatch(cell(LENGTH)):
            lasts[video] = float(cell(LENGTH))
        code, subject = cell("Behavior"), _subject(cell("Subject"))
        if aggregated:
            kind = one_kind(place, {"the behavior": code})
            start, stop = (seconds(place, name, cell(name)) for name in AGGREGATED[1:])
            rows.append(Timed(place, row.number, video, kind, start, stop, subject=subject))
            continue
        status = next((cell(name) for name in STATUS if name in named), "")
        modifiers = [cell(name) for name in named if name.startswith("Modifier")]
        key = (cell("Observation id"), video, cell("Subject"), code, *modifiers)
        time_s = seconds(place, "Time", cell("Time"))
        events.append(Event(place, row.number, video, code, subject, key, time_s, status.upper()))
    found = tuple(rows) if aggregated else _paired(events)
    return Foreign(found, notes=tuple(_say_queues(played)), lasts=lasts)


def is_boris_project(data: bytes) -> bool:
    """Whether the bytes are those of a project file of BORIS."""
    return data.lstrip()[:1] == b"{" and b'"project_format_version"' in data


def read_boris_project(path: str | Path, data: bytes) -> Foreign:
    """Intervals of all observations of a project file; names as in `read_boris_text`.

    The row of an event is its place among those of the observation, from 1. UserError names
    observation and event; or a time offset, and files that are played one after the other.
    """
    try:
        project = json.loads(data)
        states = {row["code"] for row in project["behaviors_conf"].values() if _is_state(row)}
        observations: dict[str, Any] = project["observations"]
        events, lasts = [], {}
        for name, observation in observations.items():
            where = f"{path}, observation {name!r}"
            _refuse_offset(where, str(observation.get("time offset", "")))
            first = _first_file(where, observation)
            video = video_name(first or name)
            lengths = (observation.get("media_info") or {}).get("length") or {}
            if first in lengths:
                lasts[video] = float(lengths[first])
            open_states: set[tuple[str, ...]] = set()
            for row, (time_s, subject, code, modifiers, *_) in enumerate(observation["events"], 1):
                place = f"{where}, event {row}"
                key = (name, str(subject), str(code), str(modifiers))
                status = (
                    "POINT" if code not in states else "STOP" if key in open_states else "START"
                )
                open_states ^= {key}
                time_s = seconds(place, "time", str(time_s))
                who = _subject(str(subject))
                events.append(Event(place, row, video, str(code), who, key, time_s, status))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(
            f"{path}: is not a readable project of BORIS ({type(error).__name__}: {error}); save it"
            " again with BORIS 7 or later"
        ) from None
    return Foreign(_paired(events), lasts=lasts)


def _first_file(where, observation):
    """The media file that the times of an observation are of; '' if there is none."""
    players = (observation.get("file") or {}).items()
    player, files = next(((player, files) for player, files in players if any(files)), ("", [""]))
    offset = float(((observation.get("media_info") or {}).get("offset") or {}).get(player) or 0)
    if not observation["events"]:
        return files[0]
    if len(files) > 1:
        raise UserError(
            f"{where}: plays several files ({', '.join(files)}) in player {player}; code each in an"
            " observation of its own"
        )
    if offset:
        raise UserError(
            f"{where}: player {player} has a time offset ({offset:g}); set it to 0 in BORIS"
        )
    return files[0]


def _say_queues(played):
    for name, videos in played.items():
        if name and len(videos) > 1:
            yield (
                f"observation {name!r} plays several files ({', '.join(videos)}); each one's times"
                " must count from its own beginning"
            )


def _paired(events: Iterable[Event]) -> tuple[Timed, ...]:
    begun: dict[tuple[str, ...], Event] = {}
    rows = []
    for event in events:
        kind = one_kind(event.place, {"the behavior": event.code})
        if event.status not in ("START", "STOP"):
            raise UserError(f"{event.place}: {POINT}")
        start = begun.pop(event.key, None)
        if (event.status == "STOP") != (start is not None):
            wrong = "stops before it starts" if start is None else "starts twice"
            raise UserError(f"{event.place}: {event.code} {wrong}; pair its events in BORIS")
        if start is None:
            begun[event.key] = event
        else:
            times = start.time_s, event.time_s
            rows.append(Timed(start.place, start.row, event.video, kind, *times, "", start.subject))
    if begun:
        event = next(iter(begun.values()))
        raise UserError(f"{event.place}: {event.code} never stops; pair its events in BORIS")
    return tuple(rows)


def _header(sheet: Sheet) -> tuple[dict[str, int], tuple[Row, ...]] | None:
    """Column of each name in the header, and the rows below it; older exports begin otherwise."""
    for at, row in enumerate(sheet.rows[:HEADER_ROWS]):
        named = {str(value).strip(): place for place, value in enumerate(row.cells)}
        events = all(name in named for name in EVENTS) and any(name in named for name in STATUS)
        if events or all(name in named for name in AGGREGATED):
            return named, sheet.rows[at + 1 :]
    return None


def _video(sheet, cell):
    for name in MEDIA:
        if cell(name) not in NO_FILE:
            return video_name(cell(name))
    return cell("Observation id") or video_name(sheet.path)


def _refuse_offset(place, text):
    if text not in ("", "NA") and seconds(place, "the time offset", text) != 0:
        raise UserError(
            f"{place}: the observation has a time offset ({text}); set it to 0 in BORIS"
        )


def _subject(text):
    return "" if text.strip().casefold() in NOBODY else BESIDE.sub("", text.strip())


def _is_state(behavior):
    return str(behavior["type"]).casefold().startswith("state event")


def _cell(row, at):
    return str(row.cells[at]).strip() if at is not None and at < len(row.cells) else ""
