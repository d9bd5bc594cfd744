"""One line each: what a data set or bank holds, what it should hold, and what to do."""

from typing import Any, NamedTuple

import pandas as pd

from jaxspot.annotations.durations import duration_table, move_to_neutral_ratio
from jaxspot.annotations.intervals import KINDS
from jaxspot.annotations.plausible import (
    LONG_ME_S,
    doubt_units,
    long_micro,
    marked_twice,
    of_two_kinds,
)
from jaxspot.annotations.repairs import left_out
from jaxspot.datasets.doubles import ALIKE, ONE_NAME, alike_subjects
from jaxspot.datasets.expected import Expected
from jaxspot.motion.regions import Regions

OK, DIFFERS, BROKEN = "ok", "differs", "broken"
LONGEST = 40


class Check(NamedTuple):
    """What was checked, what was found and expected (text), a verdict, and what to do.

    The verdict is "ok", "differs" (from the release or the paper), "broken" (something cannot be
    used) or "" where nothing is expected.
    """

    what: str
    found: str
    expected: str = ""
    verdict: str = ""
    remedy: str = ""


def expect_equal(what: str, found: Any, expected: Any, remedy: str = "") -> Check:
    """A check that something is as the release or the paper says; None: they say nothing."""
    if expected is None:
        return Check(what, _text(found))
    if found == expected:
        return Check(what, _text(found), _text(expected), OK)
    return Check(what, _text(found), _text(expected), DIFFERS, remedy)


def expect_none(what: str, found: list[str], remedy: str, *, shown: int = 4) -> Check:
    """A check that a list of broken things is empty; names the first few."""
    if not found:
        return Check(what, "none", "none", OK)
    names = "; ".join(found[:shown]) + (f"; and {len(found) - shown} more" * (len(found) > shown))
    return Check(what, f"{len(found)}: {names}", "none", BROKEN, remedy)


def check_counts(
    videos: pd.DataFrame,
    annotations: pd.DataFrame,
    expected: Expected | None,
    regions: Regions | None = None,
) -> list[Check]:
    """Subjects, videos, frames and labels against the release, or a pack of it (`regions`)."""
    unpack = "unpack the release again, or name the folder that holds it whole"
    if regions:
        unpack = "the pack does not hold the whole release; what it holds can be used"
    counts = dict(subjects=videos.subject.nunique(), videos=len(videos))
    checks = [
        expect_equal(name, count, expected and getattr(expected, name), unpack)
        for name, count in counts.items()
    ]
    alike = alike_subjects(videos.subject.tolist())
    checks += [expect_none(ALIKE, alike, ONE_NAME)] * bool(alike)
    frames, wanted = int(videos.frames.sum()), expected and expected.frames
    if regions and regions.every > 1 and wanted is not None:
        # A thinned video ends with a whole row, and has one more than its values.
        longest = wanted + 2 * regions.every * len(videos)
        verdict = OK if wanted <= frames <= longest else DIFFERS
        remedy = "" if verdict == OK else unpack
        span = f"{wanted:,} to {longest:,}"
        checks.append(Check("frames", _text(frames), span, verdict, remedy))
    else:
        checks.append(expect_equal("frames", frames, wanted, unpack))
    for kind in KINDS[::-1]:
        count = int((annotations.kind == kind).sum())
        remedy = "another version of the workbook, or labels left out: see repairs.csv"
        wanted = expected and expected.labels[kind]
        checks.append(expect_equal(f"{kind} labels", count, wanted, remedy))
    bare = sorted(set(videos.video) - set(annotations.video))
    return [*checks, Check("videos without a label", str(len(bare)))]


def check_durations(
    videos: pd.DataFrame, annotations: pd.DataFrame, expected: Expected | None
) -> list[Check]:
    """Tables 2 and 3 and the move-to-neutral ratio beside the paper's."""
    if annotations.empty:
        return []
    fps = videos.set_index("video").fps
    inclusive = expected is None or expected.inclusive
    table = duration_table(annotations, fps=fps, inclusive=inclusive).set_index("kind")
    checks = []
    for kind in KINDS[::-1]:
        row: Any = table.loc[kind]
        if not row["count"]:
            continue
        seconds = _seconds([row.minimum, row["mean"], row.maximum])
        paper = expected and _seconds(expected.seconds[kind])
        what = f"{kind} seconds, shortest / mean / longest (Table 2)"
        checks.append(expect_equal(what, seconds, paper))
        k = None if pd.isna(row.k) else int(row.k)
        what = f"{kind} k in frames (Table 3)"
        checks.append(expect_equal(what, k, expected and expected.k[kind]))
    ratio, _ = move_to_neutral_ratio(annotations, videos)
    what, paper = "move-to-neutral ratio (section 3.2)", expected and f"{expected.ratio:.2f}"
    return [*checks, expect_equal(what, f"{ratio:.2f}", paper)]


def check_labels(
    annotations: pd.DataFrame,
    videos: pd.DataFrame,
    repairs: pd.DataFrame,
    expected: Expected | None = None,
) -> list[Check]:
    """How many labels each rule mended or left out, and whether the others can be right."""
    counts = repairs.rule.value_counts().sort_index()
    checks = [Check(f"labels repaired: {rule}", str(count)) for rule, count in counts.items()]
    lost = repairs[left_out(repairs) & (repairs.rule != "duplicate")]
    several = repairs.file.nunique() > 1
    columns = (lost[name].tolist() for name in ("file", "row", "video", "rule"))
    rows = [
        f"{f'{file}, ' if several else ''}row {row} {video} ({rule})"
        for file, row, video, rule in zip(*columns, strict=True)
    ]
    doubts = doubt_units(annotations, videos)
    return [
        *checks,
        expect_none("labels left out", rows, "correct them in the file of labels: repairs.csv"),
        expect_none("labels of odd length", doubts, "write frames from 1, and check fps"),
        expect_none(
            f"ME labels over {LONG_ME_S} s",
            long_micro(annotations, videos),
            "a micro-expression lasts under 0.5 s; correct offset or kind",
        ),
        # Those of a release stay as they were published.
        expect_none(
            "expressions marked twice",
            [] if expected else marked_twice(annotations),
            "are they of two coders? keep the labels of one",
        ),
        expect_none(
            "spans of two kinds",
            [] if expected else of_two_kinds(annotations),
            "an expression has one kind; delete the label of the other",
        ),
    ]


def format_checks(checks: list[Check]) -> str:
    """Checks as a table for the terminal; what to do stands in a line of its own below."""
    rows = [Check("what", "found", "expected", "verdict"), *checks]
    short = [check for check in rows if len(check.found) <= LONGEST]
    what = max(len(check.what) for check in rows)
    found = max(len(check.found) for check in short)
    lines = []
    for check in rows:
        line = f"{check.verdict:8}  {check.what:{what}}  {check.found:{found}}  {check.expected}"
        lines.append(line.rstrip())
        lines += [f"{'':10}-> {check.remedy}"] if check.remedy else []
    return "\n".join(lines)


def is_well(checks: list[Check]) -> bool:
    """Whether nothing is broken, nor differs from the release or the paper."""
    return not any(check.verdict in (DIFFERS, BROKEN) for check in checks)


def _seconds(values):
    return " / ".join(f"{value:.2f}" for value in values)


def _text(value):
    return f"{value:,}" if isinstance(value, int) else str(value)
