"""BORIS: a project with an observation for each video; ME and MaE are state events."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime

import pandas as pd

from jaxspot.exports.medium import Medium
from jaxspot.exports.tiers import tiers

FORMAT = "7.0"
BEHAVIORS = {
    "ME": ("m", "micro-expression: under 0.5 s"),
    "MaE": ("a", "macro-expression: 0.5 s and longer"),
}
PLAYERS = tuple("12345678")


def boris_file(spans: pd.DataFrame, media: Mapping[str, Medium]) -> bytes:
    """The project file: two events an interval, times in seconds to the millisecond.

    BORIS pairs events of one subject and behaviour by their order, so that overlapping or touching
    intervals get subjects of their own, such as 'face 0 (2)'.
    """
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    observations, subjects = {}, {}
    for name, medium in media.items():
        events = []
        for tier in tiers(spans.loc[spans.video == name], gap_ms=1):
            who = tier.who
            if who:
                subjects[who] = {"key": "", "name": who, "description": ""}
            for cue in tier.cues:
                note = "" if cue.score is None else cue.caption()
                events.append([cue.start_ms / 1000, who, tier.kind, "", note])
                events.append([cue.stop_ms / 1000, who, tier.kind, "", ""])
        events.sort(key=lambda event: event[0])
        observations[name] = _observation(medium, events, now)
    project = {
        "time_format": "s",
        "project_date": now,
        "project_name": "jaxspot",
        "project_description": "",
        "project_format_version": FORMAT,
        "subjects_conf": _numbered(subjects.values()),
        "behaviors_conf": _numbered(_behavior(code, *rest) for code, rest in BEHAVIORS.items()),
        "observations": observations,
        "behavioral_categories": [],
        "behavioral_categories_config": {},
        "independent_variables": {},
        "coding_map": {},
        "behaviors_coding_map": [],
        "converters": {},
    }
    return (json.dumps(project, indent=1) + "\n").encode()


def _observation(medium, events, now):
    file = medium.file or medium.name
    last = max((event[0] for event in events), default=0.0)
    fps = {} if medium.fps is None else {file: round(medium.fps, 6)}
    return {
        "file": {player: [file] if player == "1" else [] for player in PLAYERS},
        "type": "MEDIA",
        "date": now,
        "description": "",
        "time offset": 0.0,
        "events": events,
        "observation time interval": [0, 0],
        "independent_variables": {},
        "visualize_spectrogram": False,
        "visualize_waveform": False,
        "media_creation_date_as_offset": False,
        "media_scan_sampling_duration": 0,
        "image_display_duration": 1,
        "close_behaviors_between_videos": False,
        "media_info": {
            "length": {file: medium.duration_s or last},
            "fps": fps,
            "hasVideo": {file: True},
            "hasAudio": {file: medium.audio},
            "offset": {"1": 0.0},
        },
    }


def _behavior(code, key, description):
    return {
        "type": "State event",
        "key": key,
        "code": code,
        "description": description,
        "color": "",
        "category": "",
        "modifiers": "",
        "excluded": "",
        "coding map": "",
    }


def _numbered(rows):
    return {str(at): row for at, row in enumerate(rows)}
