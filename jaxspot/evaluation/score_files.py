"""The scorer on files from anyone's method, and on labels as they were published."""

import contextlib
import json
from collections.abc import Collection
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from jaxspot.annotations.columns import in_row, read_file
from jaxspot.annotations.foreign import foreign_intervals, rates_of, read_foreign
from jaxspot.annotations.intervals import WHOSE, read_unrejected, read_videos
from jaxspot.annotations.labels import read_labels
from jaxspot.annotations.names import VideoNames
from jaxspot.annotations.plausible import doubt_units, say_two_kinds
from jaxspot.annotations.repairs import REPAIRS, RULES, Labels, fit_to_videos
from jaxspot.annotations.whose import say_foreign, say_table
from jaxspot.errors import UserError
from jaxspot.evaluation.doubts import doubt_labels, doubt_predictions
from jaxspot.evaluation.f1 import SCORES, score_intervals
from jaxspot.evaluation.matching import MatchingRule
from jaxspot.files import table_text, whole_file

SCORES_FILE = "scores.json"


class Evaluation(NamedTuple):
    """Scores as `score_intervals` gives them, and the labels that were mended or left out.

    `repairs` has the columns of a bank's repairs.csv (`repairs.REPAIR_COLUMNS`). `doubts` are lines
    on what was passed over, or may not have been meant so, each with its file. `rejected`
    predictions, by the column verdict of a reviewed table, were left out.
    """

    scores: dict[str, dict]
    repairs: pd.DataFrame
    doubts: list[str]
    rejected: int = 0


def evaluate_files(
    videos: str | Path,
    annotations: str | Path,
    intervals: str | Path,
    *,
    out: str | Path | None = None,
    matching: MatchingRule = "one_to_one",
    iou: float = 0.5,
    rules: Collection[str] = RULES,
) -> Evaluation:
    """Scores predicted intervals against labels; labels are repaired, predictions never.

    Args:
      videos: CSV of subject, video, frames, fps: every video scored.
      annotations: see `read_labels`.
      intervals: CSV of subject, video, kind, onset, offset; rows of verdict "rejected" are left
        out, further columns ignored; or a file of ELAN, BORIS or MEGC (`read_foreign`).
      out: a folder for scores.json, and for repairs.csv if a label was repaired or left out.
      matching, iou: as in `match_intervals`.
      rules: the repair rules to apply (`repairs.RULES`).

    Raises:
      UserError: it names file and row, or the folder that cannot be written; nothing is written.
    """
    table = read_videos(videos)
    predicted, rejected, said = _read_predictions(intervals, table)
    labels = read_truth(annotations, table, rules=rules)
    scores = score_intervals(
        predicted, labels.annotations, videos=table, matching=matching, iou=iou
    )
    if out is not None:
        record = scores | dict(protocol=matching, iou=iou)
        _write(Path(out), json.dumps(record, indent=2) + "\n", labels.repairs)
    found: Any = labels.annotations
    of_labels = [*labels.notes, *doubt_units(found, table), *doubt_labels(found, table, predicted)]
    of_labels += [] if labels.release else say_two_kinds(found)
    of_predictions = [*said, *doubt_predictions(predicted, table)]
    doubts = [f"{annotations}: {line}" for line in of_labels]
    doubts += [f"{intervals}: {line}" for line in of_predictions]
    return Evaluation(scores, labels.repairs, doubts, rejected)


def read_predictions(file: str | Path, videos: pd.DataFrame) -> pd.DataFrame:
    """Reads predicted intervals, from a table (`read_intervals`) or a file of another program."""
    return _read_predictions(file, videos)[0]


def _read_predictions(file, videos):
    """The intervals, how many were left out as rejected, and lines on the others."""
    data, times = read_file(file), rates_of(videos)
    foreign = read_foreign(file, data)
    if foreign:
        return foreign_intervals(file, foreign, videos), 0, tuple(say_foreign(foreign, times))
    table, rejected = read_unrejected(file, videos)
    said = tuple(say_table(table, times))
    return table.drop(columns=[*WHOSE], errors="ignore"), rejected, said


def read_truth(file: str | Path, videos: pd.DataFrame, *, rules: Collection[str] = RULES) -> Labels:
    """Reads labels (`read_labels`) and fits them to the videos that are scored.

    A release may be scored in part: labels of other videos are left out, by rule `no_video`. In a
    canonical table such a label is taken for a mistake in its name.

    Raises UserError: it names file and row; or none of the labels is of these videos.
    """
    labels = read_labels(file, rules=rules, times=rates_of(videos))
    table = labels.annotations
    names = VideoNames(videos.video)
    lost = table.loc[[names.find(name) is None for name in table.video]]
    if len(lost):
        row, name = int(lost.row.iloc[0]), lost.video.iloc[0]
        if not labels.release:
            raise UserError(
                f"{in_row(file, row)}: video is not in the table of videos (video={name})"
            )
        if len(lost) == len(table):
            raise UserError(
                f"{file}: none of its labels is of a video in the table of videos; they are named"
                f" like {name!r}, as in a bank's videos.csv"
            )
    return fit_to_videos(labels, videos, rules=rules)


def format_scores(scores: dict[str, dict]) -> str:
    """A small table for the terminal, a line each for MaE, ME and overall."""
    table = pd.DataFrame.from_dict(scores, orient="index").reindex(["MaE", "ME", "overall"])
    lines = [table[[*SCORES]].to_string(float_format="%.4f")]
    lines += [f"{kind}: {row['note']}" for kind, row in scores.items() if "note" in row]
    return "\n".join(lines)


def _write(out: Path, scores: str, repairs: pd.DataFrame) -> None:
    """Writes both files, or neither; a list of an earlier call does not stay beside new scores."""
    # The list in a bank is the bank's own, and its hash is known there.
    in_bank = (out / "bank.json").exists()
    if in_bank and len(repairs):
        raise UserError(
            f"{out}: is a bank, whose {REPAIRS} would be overwritten; name another --out"
        )
    texts = {SCORES_FILE: scores} | ({REPAIRS: table_text(repairs)} if len(repairs) else {})
    name = SCORES_FILE
    try:
        with contextlib.ExitStack() as stack:
            for name, text in texts.items():
                stack.enter_context(whole_file(out / name)).write_text(text, "utf-8", newline="\n")
        if not len(repairs) and not in_bank:
            name = REPAIRS
            (out / name).unlink(missing_ok=True)
    except OSError as error:
        reason = error.strerror or error
        raise UserError(
            f"{out}: {name} cannot be written ({reason}); free some space or name another --out"
        ) from error
