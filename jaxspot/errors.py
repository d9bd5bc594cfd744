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
    """Refuses a value that is none of a few.

    Args:
      name: what the value is of, as the user knows it.
      value: what was given.
      choices: what may be given.

    Raises:
      ValueError: one sentence with the choices, and the nearest of them where one is near.
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

    A field whose type is a `Literal` takes one of its words. A field whose default is a number, or
    a tuple of numbers, takes the same in number.

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
    """Refuses fields of a dataclass, numbers or tuples of them, that lie outside of a range.

    Args:
      options: the dataclass.
      names: of the fields.
      least, most: the ends, themselves allowed.
      above, below: the ends, themselves not allowed; so infinity is refused unless named by `most`.

    Raises:
      ValueError: one sentence that begins with the field's name.
    """
    ends = ((least, "{:g} or more"), (above, "above {:g}"), (most, "{:g} or less"))
    told = [
        words.format(end) for end, words in (*ends, (below, "below {:g}")) if abs(end) < math.inf
    ]
    for name in names:
        value = getattr(options, name)
        for number in _flat(value):
            if not (above < number < below and least <= number <= most):
                raise ValueError(f"{name} must be {' and '.join(told)}, not {value!r}")


def _alike(value, kind):
    members = get_args(kind)
    if get_origin(kind) is tuple and members[-1] is not Ellipsis:
        return (
            isinstance(value, tuple)
            and len(value) == len(members)
            and all(map(_alike, value, members))
        )
    if kind in (int, float):
        return isinstance(value, Real) and not isinstance(value, bool)
    return True


def _flat(value):
    return [x for inner in value for x in _flat(inner)] if isinstance(value, tuple) else [value]
