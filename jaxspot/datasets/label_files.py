"""Files of labels in folders: those that are read, and a line on those that are not."""

from collections.abc import Callable, Iterator
from pathlib import Path

from jaxspot.annotations.boris import is_boris_project
from jaxspot.annotations.csv_sheets import TABLES, csv_sheet
from jaxspot.annotations.foreign import READERS
from jaxspot.annotations.labels import is_canonical
from jaxspot.annotations.recognise import is_label_sheet
from jaxspot.datasets.spot_runs import is_spotted
from jaxspot.datasets.walk import all_folders
from jaxspot.errors import UserError

EAF = ".eaf"
HEAD = 65_536
MOST_NAMED = 3


def eaf_files(folder: Path) -> list[Path]:
    """The .eaf files in a folder at any depth. UserError: there is none."""
    found = list(_files(folder, _is_eaf))
    if not found:
        raise UserError(f"{folder}: holds no .eaf file of ELAN; name a file of labels by --labels")
    return found


def say_unread(folder: Path) -> list[str]:
    """A line on other files of labels in a folder of .eaf files."""
    others = [path.name for path in _files(folder, _holds_labels) if not _is_eaf(path)]
    if not others:
        return []
    line = f"{_named(others)} not read, only .eaf files are"
    return [f"{folder}: {line}; save all labels as .eaf files, or in one table for --labels"]


def say_beside(root: Path) -> list[str]:
    """A line on files of labels beside videos for which no labels were named."""
    found = list(_files(root, lambda path: _is_eaf(path) or _holds_labels(path)))
    if not found:
        return []
    named = root if len(found) > 1 and any(map(_is_eaf, found)) else found[0]
    names = _named([path.name for path in found])
    return [f"{root}: labels in {names} not read; to take them, --labels={named}"]


def _files(folder: Path, wanted: Callable[[Path], bool]) -> Iterator[Path]:
    for place in all_folders(folder):
        for path in sorted(place.iterdir()):
            if path.name[0] != "." and path.is_file() and wanted(path):
                yield path


def _is_eaf(path):
    return path.suffix.lower() == EAF


def _holds_labels(path: Path) -> bool:
    """Whether a file holds labels of ELAN or BORIS, or a table of them, by how it begins."""
    ending = path.suffix.lower()
    if ending not in (".boris", *TABLES) or is_spotted(path.parent):
        return False
    try:
        with open(path, "rb") as file:
            data = file.read(HEAD)
        if ending == ".boris":
            return is_boris_project(path.read_bytes())
        if len(data) == HEAD:
            data = data[: data.rfind(b"\n") + 1]  # whole rows
        sheets = {sign: csv_sheet(path, data, separator=sign) for sign in READERS}
    except (OSError, UserError):  # no table
        return False
    fits = [fit(sheets[sign]) for sign, all_fit in READERS.items() for fit, _ in all_fit
            if sheets[sign].rows]  # fmt: skip
    table = sheets[","]
    return any(fits) or (bool(table.rows) and (is_canonical(table) or is_label_sheet(table)))


def _named(names):
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more
