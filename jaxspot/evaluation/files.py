"""The scorer on CSV files from anyone's method."""

import json
from pathlib import Path

from jaxspot.annotations.tables import read_annotations, read_intervals, read_videos, write_text
from jaxspot.errors import UserError
from jaxspot.evaluation.f1 import score_intervals
from jaxspot.evaluation.matching import MatchingRule


def evaluate_files(
    videos: str | Path,
    annotations: str | Path,
    intervals: str | Path,
    *,
    out: str | Path | None = None,
    protocol: MatchingRule = "one_to_one",
    threshold: float = 0.5,
) -> dict[str, dict]:
    """Scores predicted intervals against labels, all three as CSV files.

    Args:
      videos: subject, video, frames, fps: every video scored, also one without a label.
      annotations: subject, video, kind, onset, apex, offset (frames from 1, both ends included).
      intervals: subject, video, kind, onset, offset; further columns are ignored.
      out: a folder for scores.json: the result beside `protocol` and `iou`.
      protocol, threshold: as in `match_intervals`.

    Returns:
      as `score_intervals`.

    Raises:
      UserError: naming file and row, or the folder that cannot be written; nothing is written then.
    """
    table = read_videos(videos)
    scores = score_intervals(
        read_intervals(intervals, table),
        read_annotations(annotations, table),
        videos=table,
        protocol=protocol,
        threshold=threshold,
    )
    if out is not None:
        record = scores | dict(protocol=protocol, iou=threshold)
        try:
            write_text(Path(out) / "scores.json", json.dumps(record, indent=2) + "\n")
        except OSError as error:
            reason = error.strerror or error
            raise UserError(
                f"{out}: scores.json cannot be written ({reason}); free some space or name another"
                " --out"
            ) from error
    return scores


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
