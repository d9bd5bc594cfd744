"""What a user can mend is said in one line; everything else keeps its traceback."""

import dataclasses
import difflib
from collections.abc import Collection
from typing import Any, Literal, get_args, get_origin


class UserError(Exception):
    """A user's mistake: one line that names file, row and remedy. Commands exit with its code."""

    exit_code = 2


class Interrupted(UserError):
    """The user asked to stop; everything done so far is saved."""

    exit_code = 130


def one_of(name: str, value: object, choices: Collection[Any]) -> None:
    """Refuses a value that is not among the choices; `name` is what the user calls it.

    Raises:
      ValueError: one sentence with the choices, and the nearest one if the value is like it.
    """
    if value in tuple(choices):
        return
    words = {str(choice): choice for choice in choices}
    near = difflib.get_close_matches(str(value), words, n=1)
    hint = f". Did you mean {words[near[0]]!r}?" if near else ""
    raise ValueError(f"{name} must be one of {', '.join(words)}, not {value!r}{hint}")


def choices_of(kind: type) -> dict[str, tuple]:
    """Field -> choices, for every field of a dataclass whose type is a `Literal`."""
    fields = dataclasses.fields(kind)
    return {f.name: get_args(f.type) for f in fields if get_origin(f.type) is Literal}


def check_choices(options: Any) -> None:
    """`one_of` for every field of a dataclass whose type is a `Literal`."""
    for name, choices in choices_of(type(options)).items():
        one_of(name, getattr(options, name), choices)
