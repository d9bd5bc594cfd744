"""One line each: what a data set or bank holds, what it should hold, and what to do."""

from typing import Any, NamedTuple

import pandas as pd

from jaxspot.annotations.durations import duration_table, move_to_neutral_ratio
from jaxspot.annotations.intervals import KINDS
from jaxspot.datasets.expected import Expected

OK, DIFFERS, BROKEN = "ok", "differs", "broken"
LONGEST = 40


class Check(NamedTuple):
    """What was looked at, what was found and expected (text), a verdict, and what to do.

    `verdict` is "ok", "differs" (from what is known of the data set), "broken" (something cannot be
    used) or "" where nothing is expected.
    """

    what: str
    found: str
    expected: str = ""
    verdict: str = ""
    remedy: str = ""


def compare(what: str, found: Any, expected: Any, remedy: str = "") -> Check:
    """A check of something against what is known; without a verdict where nothing is."""
    if expected is None:
        return Check(what, _text(found))
    same = found == expected
    return Check(
        what, _text(found), _text(expected), OK if same else DIFFERS, "" if same else remedy
    )


def expect_none(what: str, found: list[str], remedy: str, *, shown: int = 4) -> Check:
    """A check that a list of broken things is empty; names the first few."""
    if not found:
        return Check(what, "none", "none", OK)
    names = "; ".join(found[:shown]) + (f"; and {len(found) - shown} more" * (len(found) > shown))
    return Check(what, f"{len(found)}: {names}", "none", BROKEN, remedy)


def check_counts(
    videos: pd.DataFrame, annotations: pd.DataFrame, expected: Expected | None
) -> list[Check]:
    """Subjects, videos, frames and labels against the release."""
    known = lambda name: getattr(expected, name) if expected else None
    unpack = "unpack the release again, or name the folder that holds it whole"
    checks = [
        compare("subjects", videos.subject.nunique(), known("subjects"), unpack),
        compare("videos", len(videos), known("videos"), unpack),
        compare("frames", int(videos.frames.sum()), known("frames"), unpack),
    ]
    for kind in KINDS[::-1]:
        count = int((annotations.kind == kind).sum())
        wanted = expected.labels[kind] if expected else None
        remedy = "another version of the workbook, or labels left out: see repairs.csv"
        checks.append(compare(f"{kind} labels", count, wanted, remedy))
    bare = sorted(set(videos.video) - set(annotations.video))
    return [*checks, Check("videos without a label", str(len(bare)))]


def check_durations(
    videos: pd.DataFrame, annotations: pd.DataFrame, expected: Expected | None
) -> list[Check]:
    """Tables 2 and 3 and the move-to-neutral ratio beside the paper's."""
    if annotations.empty:
        return []
    inclusive = expected.inclusive if expected else True
    fps = videos.set_index("video").fps
    table = duration_table(annotations, fps=fps, inclusive=inclusive).set_index("kind")
    checks = []
    for kind in KINDS[::-1]:
        row: Any = table.loc[kind]
        if not row["count"]:
            continue
        seconds = " / ".join(f"{row[name]:.2f}" for name in ("minimum", "mean", "maximum"))
        paper = " / ".join(f"{s:.2f}" for s in expected.seconds[kind]) if expected else None
        checks.append(
            compare(f"{kind} seconds, shortest / mean / longest (Table 2)", seconds, paper)
        )
        k = None if pd.isna(row.k) else int(row.k)
        checks.append(compare(f"{kind} k in frames (Table 3)", k, expected and expected.k[kind]))
    ratio, _ = move_to_neutral_ratio(annotations, videos)
    paper = f"{expected.ratio:.2f}" if expected else None
    return [*checks, compare("move-to-neutral ratio (section 3.2)", f"{ratio:.2f}", paper)]


def check_repairs(repairs: pd.DataFrame) -> list[Check]:
    """How many labels each rule mended or left out."""
    counts = repairs.rule.value_counts().sort_index()
    return [Check(f"labels repaired: {rule}", str(count)) for rule, count in counts.items()]


def format_checks(checks: list[Check]) -> str:
    """Checks as a table for the terminal; what to do stands in a line of its own below."""
    head = Check("what", "found", "expected", "verdict")
    long = [check for check in (head, *checks) if len(check.found) <= LONGEST]
    wide = lambda name: max(len(getattr(check, name)) for check in long)
    widths = [max(len(check.what) for check in (head, *checks)), wide("found"), wide("expected")]
    lines = []
    for check in (head, *checks):
        cells = (check.verdict.ljust(8), check.what.ljust(widths[0]), check.found.ljust(widths[1]))
        lines.append("  ".join((*cells, check.expected.ljust(widths[2]))).rstrip())
        lines += [f"{'':10}-> {check.remedy}"] if check.remedy else []
    return "\n".join(lines)


def is_well(checks: list[Check]) -> bool:
    """Whether nothing is broken, nor differs from what is known of the data set."""
    return not any(check.verdict in (DIFFERS, BROKEN) for check in checks)


def _text(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)
