"""Errors that a user can fix take one line; all others keep their traceback."""

import dataclasses
import difflib
import math
from collections.abc import Collection
from numbers import Real
from typing import Any, Literal, get_args, get_origin


class UserError(Exception):
    """A user's mistake: one line that names file, row and remedy. Commands exit with its code.

    With `at_once` they end without waiting for other processes.
    """

    exit_code = 2
    at_once = False


class Interrupted(UserError):
    """The user asked to stop; everything done so far is saved."""

    exit_code = 130


def one_of(name: str, value: object, choices: Collection[Any]) -> None:
    """Refuses a value outside the choices by a ValueError that lists them and the nearest one."""
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


def check_fields(options: Any) -> None:
    """Refuses, by a ValueError, a dataclass with a value that its field cannot hold.

    A `Literal` takes one of its words, a number takes a number, a tuple of numbers as many.
    """
    for name, choices in choices_of(type(options)).items():
        one_of(name, getattr(options, name), choices)
    for field in dataclasses.fields(options):
        value = getattr(options, field.name)
        if get_origin(field.type) is not Literal and not _alike(value, field.type):
            raise ValueError(f"{field.name} must be like {field.default!r}, not {value!r}")


def check_numbers(
    options: Any,
    *names: str,
    least: float = -math.inf,
    above: float = -math.inf,
    most: float = math.inf,
    below: float = math.inf,
) -> None:
    """Refuses, by a ValueError, fields (numbers or tuples of them) outside a range, or infinite.

    `least` and `most` are in the range; `above` and `below` are not.
    """
    words = {"{:g} or more": least, "above {:g}": above, "at most {:g}": most, "below {:g}": below}
    limits = [text.format(end) for text, end in words.items() if math.isfinite(end)]
    for name in names:
        value = getattr(options, name)
        for number in _flat(value):
            if not (above < number < below and least <= number <= most):
                raise ValueError(f"{name} must be {' and '.join(limits)}, not {value!r}")


def _alike(value, kind):
    members = get_args(kind)
    if get_origin(kind) is tuple and members[-1] is not Ellipsis:
        same = isinstance(value, tuple) and len(value) == len(members)
        return same and all(map(_alike, value, members))
    if kind in (int, float):
        return isinstance(value, Real) and not isinstance(value, bool)
    return True


def _flat(value):
    return [x for inner in value for x in _flat(inner)] if isinstance(value, tuple) else [value]
