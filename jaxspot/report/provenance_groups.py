"""Nested provenance as small tables that can be read."""

import shlex
from collections.abc import Mapping
from typing import Any


def provenance_groups(
    values: Mapping[str, Any], name: str = "run"
) -> list[tuple[str, list[tuple[str, str]]]]:
    """JSON values as groups of (name, value) rows; what is nested is a group behind its parent.

    A list of mappings is numbered from 1, the list "command" is written as one types it, other
    lists with commas. `name` is that of the first group.
    """
    rows, inner = [], []
    for key, value in values.items():
        title = key.replace("_", " ")
        if isinstance(value, Mapping):
            inner += provenance_groups(value, title)
        elif isinstance(value, list | tuple) and any(isinstance(v, Mapping) for v in value):
            for number, item in enumerate(value, 1):
                item = item if isinstance(item, Mapping) else {"value": item}
                inner += provenance_groups(item, f"{title} {number}")
        else:
            rows.append((title, shlex.join(value) if key == "command" else _text(value)))
    return [*([(name, rows)] if rows else []), *inner]


def _text(value):
    if isinstance(value, list | tuple):
        return ", ".join(map(_text, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None or value == "" else str(value)
