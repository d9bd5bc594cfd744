"""What may stand twice in a data set: one person under two names, one video under two."""

import re
import unicodedata
from collections.abc import Iterable

ALIKE, ONE_NAME = "subjects that may be one person", "give each person one spelling"


def alike_subjects(subjects: Iterable[str]) -> list[str]:
    """Names that differ in case, zeros before a number, blanks, `-` or `_` alone: `01, 1`."""
    found: dict[str, list[str]] = {}
    for subject in sorted(set(subjects)):
        found.setdefault(_plain(subject), []).append(subject)
    return [", ".join(names) for names in found.values() if len(names) > 1]


def _plain(subject: str) -> str:
    text = unicodedata.normalize("NFC", subject.casefold()).strip("-_ ")
    text = re.sub(r"[-_ ]+", "-", text)
    text = re.sub(r"(?<!\d)-|-(?!\d)", "", text)  # 1-2 is not 12
    return re.sub(r"(?<!\d)0+(?=\d)", "", text)
