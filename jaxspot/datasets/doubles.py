"""What may stand twice in a data set: one person under two names, one video under two."""

import re
import unicodedata
from collections.abc import Iterable

from jaxspot.video.bank import Bank

ALIKE, ONE_NAME = "subjects that may be one person", "give each person one spelling"
SAME, ONE_COPY = "videos with the same pictures", "keep one of each in the source; prepare again"


def alike_subjects(subjects: Iterable[str]) -> list[str]:
    """Names that differ in case, zeros before a number, blanks, `-` or `_` alone: `01, 1`."""
    found: dict[str, list[str]] = {}
    for subject in sorted(set(subjects)):
        found.setdefault(_plain(subject), []).append(subject)
    return [", ".join(names) for names in found.values() if len(names) > 1]


def same_videos(bank: Bank) -> list[str]:
    """Videos of a bank whose pictures or region motion are byte for byte the same: `a, b`."""
    found: dict[str, list[str]] = {}
    folder = "motion" if bank.regions else "frames"
    for video in bank.videos.video:
        if bank.faces(video).any():  # without a face, all is black
            found.setdefault(bank.meta["sha256"][f"{folder}/{video}.npy"], []).append(video)
    return [", ".join(names) for names in found.values() if len(names) > 1]


def _plain(subject: str) -> str:
    text = unicodedata.normalize("NFC", subject.casefold()).strip("-_ ")
    text = re.sub(r"[-_ ]+", "-", text)
    text = re.sub(r"(?<!\d)-|-(?!\d)", "", text)  # 1-2 is not 12
    return re.sub(r"(?<!\d)0+(?=\d)", "", text)
