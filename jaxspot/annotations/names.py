"""Names of videos as people write them: with the ending of the file, its folder, in other case."""

import unicodedata
from collections.abc import Iterable

VIDEO_ENDINGS = (".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".wmv", ".mts")
VIDEO_ENDINGS += (".m2ts", ".3gp", ".3g2", ".flv", ".ogv", ".ts", ".gif", ".asf", ".mxf", ".qt")
VIDEO_ENDINGS += (".vob", ".m2v", ".f4v", ".h264", ".264", ".h265", ".265", ".hevc", ".mjpeg")
VIDEO_ENDINGS += (".mjpg", ".y4m", ".nut", ".divx", ".dv")
"""Of files that are taken for videos when a folder is searched."""


class VideoNames:
    """The names of the videos at hand, to find the one that a label means."""

    def __init__(self, names: Iterable[str]):
        self.names = set(names)
        self._by_form = [_grouped(self.names, form) for form in (_plain, _without_ending)]

    def find(self, name: str) -> str | None:
        """The video of this name; else the only one that differs in folder, case or ending."""
        if name in self.names:
            return name
        for form, groups in zip((_plain, _without_ending), self._by_form, strict=True):
            if meant := groups.get(form(name)):
                return meant[0] if len(meant) == 1 else None
        return None


def _plain(name):
    last = name.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]
    return unicodedata.normalize("NFC", last).strip().casefold()


def _without_ending(name):
    plain = _plain(name)
    return next((plain[: -len(e)] for e in VIDEO_ENDINGS if plain.endswith(e)), plain)


def _grouped(names, form):
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(form(name), []).append(name)
    return groups
