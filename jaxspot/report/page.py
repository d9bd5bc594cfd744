"""One self-contained HTML page of a run: tables, figures, provenance, what it all means."""

import base64
import io
import os
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

import jinja2
import pandas as pd
from PIL import Image

from jaxspot.files import write_text
from jaxspot.report import sentences
from jaxspot.report.figures import DPI
from jaxspot.report.provenance_groups import provenance_groups
from jaxspot.report.text_tables import flat_heads
from jaxspot.report.viewer import VideoCurves, viewer_json

LIMIT = 1_900_000
VIEWER_SHARE = 0.6


class ReportTable(NamedTuple):
    """Text cells as from `layout4` or `layout5`, their title, a note below.

    What follows the first "; " of the title is shown smaller below it.
    """

    title: str
    cells: pd.DataFrame
    note: str = ""


class ReportPicture(NamedTuple):
    """A figure file (.png) and its caption; `printed` shows it on paper alone, for the viewer."""

    path: Path
    caption: str
    printed: bool = False


def write_report(
    path: str | Path,
    *,
    title: str,
    dataset: str,
    tables: Sequence[ReportTable] = (),
    pictures: Sequence[ReportPicture] = (),
    pages: Sequence[tuple[str, str]] = (),
    summary: Sequence[str] = (),
    scores: Mapping[str, Mapping] | None = None,
    minutes: float | None = None,
    control: str = "",
    videos: Sequence[VideoCurves] = (),
    scoring: Mapping[str, Any] | None = None,
    provenance: Mapping[str, object] | None = None,
    synthetic: bool = False,
    oracle: bool | str = False,
    limit: int = LIMIT,
) -> Path:
    """Writes a page that needs no other file and no network; it appears only when whole.

    The first of `tables` opens the page, the others follow the curves. `pictures` are shown in
    order, embedded as WebP while the page stays within `limit` bytes; the rest are linked, as are
    `pages` (name, relative address). `summary` are sentences beside the first table. `scores` maps
    kind to a row of `score_intervals`, with f1_low and f1_high where known, put in words on top;
    `minutes` is the length of all videos, `control` what the negative control says. `videos` are
    curves to leaf through, in up to 60 % of `limit`; `scoring` has matching and iou of
    `match_intervals`. `provenance` maps names to JSON values. The page says on top whether the data
    are `synthetic`, and whether anything was chosen on test data (`oracle`, or the words for what
    was: "the threshold").
    """
    path = Path(path)
    values = dict(
        title=title,
        dataset=dataset,
        synthetic=synthetic,
        oracle=oracle,
        result=sentences.result_sentence(scores or {}, minutes=minutes),
        precision=sentences.expected_precision(scores or {}),
        summary=[*sentences.kind_sentences(scores or {}, minutes=minutes), *summary],
        control=control,
        pages=pages,
        tables=[_cells(table) for table in tables],
        threshold_line=sentences.threshold_sentence(oracle),
        iou=(scoring or {}).get("iou", 0.5),
        provenance=provenance_groups(provenance or {}),
        viewer=_viewer(videos, scoring or {}, limit),
    )
    template = _template()
    room = limit - len(template.render(values, pictures=[], linked=[]).encode())
    embedded, linked = [], []
    for picture in pictures:
        shown = _embedded(picture)
        room -= len(shown["uri"]) + 2 * len(picture.caption) + 200
        if room > 0:
            embedded.append(shown)
        else:
            href = Path(os.path.relpath(picture.path, path.parent)).as_posix()
            linked.append(dict(caption=picture.caption, href=href))
    write_text(path, template.render(values, pictures=embedded, linked=linked))
    return path


def _viewer(videos, scoring, limit):
    """Script and data, or None where there is no video."""
    if not videos:
        return None
    script = files("jaxspot.report").joinpath("viewer.js").read_text("utf-8")
    data = viewer_json(videos, room=int(VIEWER_SHARE * limit), **scoring)
    return dict(script=script, data=data, count=len(videos))


def _template():
    loader = jinja2.PackageLoader("jaxspot.report", ".")
    environment = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True
    )
    return environment.get_template("page.html.jinja")


def _cells(table):
    name, _, rules = table.title.partition("; ")
    heads, rows = flat_heads(table.cells), table.cells.astype(str).values.tolist()
    return dict(name=name, rules=rules, note=table.note, heads=heads, rows=rows)


def _embedded(picture) -> dict[str, Any]:
    """Lines are smaller without loss, faces with a little."""
    files = io.BytesIO(), io.BytesIO()
    with Image.open(picture.path) as image:
        width = round(image.width * 96 / DPI)  # CSS pixels
        for file, lossless in zip(files, (True, False), strict=True):
            image.convert("RGB").save(file, "webp", lossless=lossless, quality=85)
    best = base64.b64encode(min((file.getvalue() for file in files), key=len)).decode()
    uri = f"data:image/webp;base64,{best}"
    return dict(caption=picture.caption, width=width, printed=picture.printed, uri=uri)
