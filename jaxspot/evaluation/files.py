"""The scorer on files from anyone's method, and on labels as they were published."""

import contextlib
import json
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from jaxspot.annotations.columns import in_row
from jaxspot.annotations.intervals import read_intervals, read_videos
from jaxspot.annotations.labels import read_labels
from jaxspot.annotations.repairs import REPAIRS, RULES, Labels, fit_to_videos
from jaxspot.errors import UserError
from jaxspot.evaluation.f1 import score_intervals
from jaxspot.evaluation.matching import MatchingRule
from jaxspot.files import table_text, whole_file

SCORES = "scores.json"


class Evaluation(NamedTuple):
    """Scores as `score_intervals` gives them, and the labels that were mended or left out.

    `repairs` has the columns of a bank's repairs.csv (`repairs.REPAIR_COLUMNS`).
    """

    scores: dict[str, dict]
    repairs: pd.DataFrame


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
    """Scores predicted intervals against labels; labels are mended, predictions never.

    Args:
      videos: CSV of subject, video, frames, fps: every video scored, also one without a label.
      annotations: a canonical CSV table (subject, video, kind, onset, offset; apex optional; frames
        from 1, both ends included), a workbook of SAMM-LV or CAS(ME)^2, or its label sheet as CSV.
      intervals: CSV of subject, video, kind, onset, offset; further columns are ignored.
      out: a folder for scores.json: the scores beside `protocol` and `iou`; and for repairs.csv,
        which is written where a label was mended or left out, and removed where none was.
      matching, iou: as in `match_intervals`.
      rules: the repair rules in force (`repairs.RULES`).

    Raises:
      UserError: naming file and row, or the folder that cannot be written; nothing is written then.
    """
    table = read_videos(videos)
    predicted = read_intervals(intervals, table)
    labels = read_truth(annotations, table, rules=rules)
    scores = score_intervals(
        predicted, labels.annotations, videos=table, matching=matching, iou=iou
    )
    if out is not None:
        record = scores | dict(protocol=matching, iou=iou)
        _write(Path(out), json.dumps(record, indent=2) + "\n", labels.repairs)
    return Evaluation(scores, labels.repairs)


def read_truth(file: str | Path, videos: pd.DataFrame, *, rules: Collection[str] = RULES) -> Labels:
    """Reads labels and fits them to the videos that are scored.

    A release may be scored in part: labels of other videos are left out, by rule `no_video`. In a
    canonical table such a label is taken for a mistake in its name.

    Args:
      file: see `read_labels`.
      videos: subject, video, frames.
      rules: of `repairs.RULES`.

    Raises:
      UserError: naming file and row; or none of the labels is of these videos.
    """
    labels = read_labels(file, rules=rules)
    table = labels.annotations
    lost = table.loc[~table.video.isin(videos.video)]
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
    lines = [
        f"{'':8}{'predicted':>10}{'labelled':>10}{'TP':>6}{'FP':>6}{'FN':>6}"
        f"{'precision':>11}{'recall':>9}{'F1':>9}"
    ]
    for kind in ("MaE", "ME", "overall"):
        row = scores[kind]
        lines.append(
            f"{kind:8}{row['predictions']:10}{row['ground_truth']:10}"
            f"{row['tp']:6}{row['fp']:6}{row['fn']:6}"
            f"{row['precision']:11.4f}{row['recall']:9.4f}{row['f1']:9.4f}"
        )
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
    texts = {SCORES: scores} | ({REPAIRS: table_text(repairs)} if len(repairs) else {})
    name = SCORES
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
