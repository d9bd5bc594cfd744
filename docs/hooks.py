"""Fills docs/api.md with the names that `help(jaxspot)` lists; keeps figures of a table whole."""

import re

import jaxspot

BREAK_IN_FIGURE = re.compile(r"(?<=[\d,/±]) (?=[\d/±+-])")


def on_page_markdown(markdown: str, *, page, **_) -> str:
    """The page with figures that a narrow screen cannot break, such as 93 / 438 / 147."""
    if page.file.src_uri == "api.md":
        markdown = "\n\n".join([markdown, *public_names()])
    lines = (
        BREAK_IN_FIGURE.sub("\N{NO-BREAK SPACE}", line) if line.startswith("|") else line
        for line in markdown.splitlines()
    )
    return "\n".join(lines)


def public_names() -> list[str]:
    """A heading a section and a reference a name, from the docstring of jaxspot."""
    lines = (jaxspot.__doc__ or "").splitlines()[4:]
    named = (line for line in lines if line[:4].strip())
    return [f"::: jaxspot.{x.strip()}" if x.startswith(" ") else f"## {x}" for x in named]
