"""What a user can mend is said in one line; everything else keeps its traceback."""

import dataclasses
import difflib
import math
from collections.abc import Collection
from numbers import Real
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


def check_fields(options: Any) -> None:
    """Refuses a dataclass with a value that its field cannot hold.

    A field whose type is a `Literal` takes one of its words; a number takes a number, and a tuple
    of numbers as many.

    Raises:
      ValueError: one sentence that begins with the field's name.
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
    """Refuses fields of a dataclass, numbers or tuples of them, outside a range; also infinity.

    Args:
      options: the dataclass.
      names: of the fields.
      least, most: the ends, which are allowed.
      above, below: the ends, which are not.

    Raises:
      ValueError: one sentence that begins with the field's name.
    """
    words = {"{:g} or more": least, "above {:g}": above, "at most {:g}": most, "below {:g}": below}
    told = [text.format(end) for text, end in words.items() if math.isfinite(end)]
    for name in names:
        value = getattr(options, name)
        for number in _flat(value):
            if not (above < number < below and least <= number <= most):
                raise ValueError(f"{name} must be {' and '.join(told)}, not {value!r}")


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
