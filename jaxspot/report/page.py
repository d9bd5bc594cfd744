"""One self-contained HTML page of a run: tables, figures, provenance, what it all means."""

import base64
import io
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import jinja2
import pandas as pd
from PIL import Image

from jaxspot.annotations.tables import write_text

LIMIT = 1_900_000
COLOURS = 96
HALF_PAGE = 720  # pixels


class ReportTable(NamedTuple):
    """A table as printed: text cells from `layout4` or `layout5`, its title, a note below."""

    title: str
    cells: pd.DataFrame
    note: str = ""


class ReportPicture(NamedTuple):
    """A figure file (.png or .svg) and its caption."""

    path: Path
    caption: str


def write_report(
    path: str | Path,
    *,
    title: str,
    dataset: str,
    tables: Sequence[ReportTable] = (),
    pictures: Sequence[ReportPicture] = (),
    summary: Sequence[str] = (),
    scores: Mapping[str, Mapping] | None = None,
    provenance: Mapping[str, object] | None = None,
    synthetic: bool = False,
    oracle: bool = False,
    limit: int = LIMIT,
) -> Path:
    """Writes a page that needs no other file and no network; it appears only when whole.

    Args:
      path: the HTML file.
      title, dataset: of the run.
      tables, pictures: shown in this order. Pictures are embedded (PNGs with at most 96 colours)
        as long as the page stays within `limit`; the rest are linked.
      summary: plain sentences at the top.
      scores: as from `score_intervals`; its precision is told in words.
      provenance: name -> value; nested values are shown as JSON.
      synthetic: the data are synthetic heads, and the page says so on top.
      oracle: something was chosen on test data, and the page says so on top.
      limit: bytes of the page.
    """
    path = Path(path)
    values = dict(
        title=title,
        dataset=dataset,
        synthetic=synthetic,
        oracle=oracle,
        summary=summary,
        tables=[_cells(table) for table in tables],
        threshold_line=_threshold_line(oracle),
        precision=_precision(scores or {}),
        provenance=[(name, _plain(value)) for name, value in (provenance or {}).items()],
    )
    template = _template()
    room = limit - len(template.render(values, pictures=[], linked=[]).encode())
    embedded, linked = [], []
    for picture in pictures:
        shown = _embedded(picture)
        room -= len(shown.uri) + 2 * len(picture.caption) + 200
        if room > 0:
            embedded.append(shown)
        else:
            href = Path(os.path.relpath(picture.path, path.parent)).as_posix()
            linked.append(dict(caption=picture.caption, href=href))
    write_text(path, template.render(values, pictures=embedded, linked=linked))
    return path


class _Shown(NamedTuple):
    caption: str
    wide: bool
    uri: str


def _template():
    loader = jinja2.PackageLoader("jaxspot.report", ".")
    environment = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True
    )
    return environment.get_template("page.html.jinja")


def _cells(table):
    rows = table.cells.astype(str).values.tolist()
    return dict(title=table.title, note=table.note, heads=list(table.cells.columns), rows=rows)


def _embedded(picture):
    data = Path(picture.path).read_bytes()
    if Path(picture.path).suffix == ".svg":
        return _Shown(picture.caption, True, _uri("svg+xml", data))
    with Image.open(io.BytesIO(data)) as image:
        wide = image.width > HALF_PAGE
        small = io.BytesIO()
        image.convert("RGB").quantize(COLOURS).save(small, "png", optimize=True)
    best = min(data, small.getvalue(), key=len)
    return _Shown(picture.caption, wide, _uri("png", best))


def _uri(kind, data):
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def _threshold_line(oracle):
    if oracle:
        return (
            "The threshold was chosen on the test subjects' own labels (oracle): the figures are "
            "better than any that can be had on new videos."
        )
    return (
        "Each held-out subject was scored by a network and a threshold fitted on the other "
        "subjects alone."
    )


def _precision(scores):
    names = {"ME": "micro-expression", "MaE": "macro-expression"}
    return [
        f"In this run {scores[kind]['tp']:.0f} of {scores[kind]['predictions']:.0f} predicted "
        f"{name} intervals were right (precision {scores[kind]['precision']:.2f})."
        for kind, name in names.items()
        if kind in scores and scores[kind]["predictions"]
    ]


def _plain(value):
    return value if isinstance(value, str) else json.dumps(value, default=str)
