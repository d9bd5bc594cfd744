"""What was mended in a label sheet: rows go through the rules, and every change is listed."""

import math
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

import pandas as pd

from jaxspot.annotations.columns import in_row
from jaxspot.annotations.intervals import ANNOTATION_COLUMNS
from jaxspot.annotations.names import VideoNames
from jaxspot.annotations.rules import RULES, SHEET_RULES, Span, check_rules, past_end
from jaxspot.errors import UserError

REPAIRS = "repairs.csv"
REPAIR_COLUMNS = ("file", "row", "subject", "video", "rule", "before", "after")
LEFT_OUT = "left out"
APEX_RULE = "missing_apex"
TYPES = dict.fromkeys(("subject", "video", "kind"), str)
TYPES |= dict.fromkeys(("onset", "apex", "offset", "row"), int)


class Label(NamedTuple):
    """One row of a sheet; `file` is the path of its file where there are several."""

    row: int
    subject: str
    video: str
    kind: str
    span: Span
    file: str = ""


class Labels(NamedTuple):
    """What was read from one file, and what was mended in it.

    `annotations` has ANNOTATION_COLUMNS and `row`, the row in the sheet; frames are integers.
    `repairs` has REPAIR_COLUMNS: a row for each rule that changed or left out a row, in the order
    of the sheet; `file` is the file's name, or its path in the folder of all files, `after` starts
    with 'left out' where the row is not in `annotations`. `file` is the path, `release` the data
    set that it was released with, such as "samm_lv", or "" for a canonical table. `notes` are lines
    on rows that were passed over, or may not be meant so.
    """

    annotations: pd.DataFrame
    repairs: pd.DataFrame
    file: str
    release: str = ""
    notes: tuple[str, ...] = ()


def join_labels(tables: Sequence[Labels], *, file: str) -> Labels:
    """The labels of several files as those of one; `file` is the folder that they lie in.

    `annotations` has the column `file` too, the path; in `repairs`, and in notes, a file is named
    by its path in the folder.
    """
    join = lambda parts: pd.concat(parts, ignore_index=True)
    names = [_name(table.file, file) for table in tables]
    return Labels(
        join([table.annotations.assign(file=table.file) for table in tables]),
        join([table.repairs.assign(file=n) for table, n in zip(tables, names, strict=True)]),
        file,
        notes=tuple(
            f"{name}: {note}"
            for table, name in zip(tables, names, strict=True)
            for note in table.notes
        ),
    )


def no_labels() -> Labels:
    """The labels of a data set that has none."""
    return _labels([], [], file="", release="")


def mend(
    labels: Iterable[Label],
    *,
    file: str,
    sheet: str = "",
    release: str = "",
    rules: Collection[str] = RULES,
) -> Labels:
    """Applies the rules in force, in the order of RULES, to rows as the sheet gives them.

    Frames count from 1, both ends included; they may have fractions, NaN is an empty cell. `sheet`
    is "" for a CSV table. UserError: an unknown rule, or a row that no rule mends, named by file
    and row.
    """
    check_rules(rules)
    kept, repairs = [], []
    for label in labels:
        span, changes = _through(label.span, rules)
        repairs += [_repair(_name(file), label, *change) for change in changes]
        if span is None:
            continue
        if not 1 <= span.onset <= span.apex <= span.offset:
            raise UserError(
                f"{in_row(file, label.row, sheet)}: no rule mends {_told(span)} "
                "(1 <= onset <= apex <= offset must hold); correct or delete the row"
            )
        kept.append(label._replace(span=span))
    return _labels(kept, repairs, file, release)


def mend_without_apex(
    labels: Iterable[Label], *, rules: Collection[str] = RULES, **options: str
) -> Labels:
    """`mend` of a file that has no apex: each label gets one, which is no repair and not listed."""
    made = mend(labels, rules=[*rules, APEX_RULE], **options)
    return made._replace(
        repairs=made.repairs[made.repairs.rule != APEX_RULE].reset_index(drop=True)
    )


def fit_to_videos(
    labels: Labels, videos: pd.DataFrame, *, rules: Collection[str] = RULES
) -> Labels:
    """Fits labels to the videos at hand (subject, video, frames).

    Rule `video_name` takes the name of a video with its ending, folder or in other case for that
    video. Rule `no_video` leaves out the labels of a video that is not there. Rule `past_end` clips
    a label at the last frame, and leaves out one that begins past it. Rule `duplicate` counts an
    interval once that stands in several rows. A label has the subject of its video. UserError: an
    unknown rule, a label without its video where `no_video` is off, or one of another subject's
    video.
    """
    check_rules(rules)
    columns = (videos[name].tolist() for name in ("video", "subject", "frames"))
    known = {video: (subject, frames) for video, subject, frames in zip(*columns, strict=True)}
    names, seen = VideoNames(known), {}
    kept, repairs = [], labels.repairs.values.tolist()
    repair = lambda label, *change: _repair(_name(label.file, labels.file), label, *change)
    for label in _rows(labels):
        try:
            name, change = _named(label.video, names, rules)
            repairs += [repair(label, *change)] if change else []
            if name is None:
                continue
            span, change = _fitted(label._replace(video=name), known, rules)
        except UserError as error:
            raise UserError(f"{in_row(label.file, label.row)}: {error}") from None
        repairs += [repair(label, *change)] if change else []
        if span is None:
            continue
        interval = (name, label.kind, span.onset, span.offset)
        first = seen.setdefault(interval, label)
        if "duplicate" in rules and first is not label:
            where = f"row {first.row}"
            where += f" of {_name(first.file, labels.file)}" if first.file != label.file else ""
            again = f"{LEFT_OUT} (the same as {where})"
            repairs.append(repair(label, "duplicate", _told(span), again))
            continue
        kept.append(label._replace(video=name, span=span, subject=known[name][0]))
    return _labels(kept, repairs, labels.file, labels.release)._replace(notes=labels.notes)


def left_out(repairs: pd.DataFrame) -> pd.Series:
    """Which rows of repairs.csv tell of labels that are not in annotations.csv: bool."""
    return repairs.after.str.startswith(LEFT_OUT)


def count_repairs(repairs: pd.DataFrame) -> str:
    """Says how many labels were mended and left out, and by which rules; '' for none.

    Such as '3 labels mended (past_end 2, onset_zero 1), 1 left out (no_video)'.
    """
    out = left_out(repairs)
    labels = repairs.file + " " + repairs.row.astype(str) + " " + repairs.video
    mended = repairs[~labels.isin(labels[out])]
    said = []
    for part, word in ((mended, "mended"), (repairs[out], "left out")):
        count = labels[part.index].nunique()
        noun = "" if said else "label " if count == 1 else "labels "
        said += [f"{count} {noun}{word} ({_by_rule(part)})"] if count else []
    return ", ".join(said)


def _by_rule(repairs):
    """'past_end 2, onset_zero 1', the most frequent first; for a single rule its name alone."""
    counts = {rule: n for rule in RULES if (n := int((repairs.rule == rule).sum()))}
    used = sorted(counts, key=lambda rule: -counts[rule])
    return ", ".join(f"{rule} {counts[rule]}" for rule in used) if len(used) > 1 else used[0]


def _through(span, rules):
    """The mended span (None: left out) and its changes (rule, before, after)."""
    changes = []
    for name, rule in SHEET_RULES.items():
        mended = rule(span)
        before, after = _change(span, mended)
        if before and name not in rules:
            return None, [*changes, (name, before, f"{LEFT_OUT} ({name} is off)")]
        changes += [(name, before, after)] if before else []
        span = mended
    return span, changes


def _named(video, names, rules):
    """The video that is meant (None: left out) and the change (rule, before, after), if any."""
    meant, before = names.find(video), f"video {video}"
    if meant is None:
        if "no_video" not in rules:
            raise UserError(f"there is no {before}, and rule no_video is off")
        return None, ("no_video", before, f"{LEFT_OUT} (there is no such video)")
    if meant == video:
        return video, None
    if "video_name" not in rules:
        return None, ("video_name", before, f"{LEFT_OUT} (video_name is off)")
    return meant, ("video_name", before, f"video {meant}")


def _fitted(label, known, rules):
    """The span inside its video (None: left out) and the change (rule, before, after), if any."""
    subject, frames = known[label.video]
    if label.subject and label.subject.casefold() != subject.casefold():
        raise UserError(
            f"subject is {label.subject!r}, but video {label.video} is of {subject!r}; write the"
            " same, or leave the cell empty"
        )
    if label.span.offset <= frames:
        return label.span, None
    clipped = past_end(label.span, frames)
    if clipped is None:
        after = f"{LEFT_OUT} (the video ends with frame {frames})"
        return None, ("past_end", _told(label.span), after)
    before, after = _change(label.span, clipped)
    if "past_end" not in rules:
        return None, ("past_end", before, f"{LEFT_OUT} (past_end is off)")
    return clipped, ("past_end", before, after)


def _rows(labels):
    table = labels.annotations
    table = table if "file" in table else table.assign(file=labels.file)
    columns = (table[name].tolist() for name in ("row", "file", *ANNOTATION_COLUMNS))
    for row, file, subject, video, kind, *frames in zip(*columns, strict=True):
        yield Label(row, subject, video, kind, Span(*frames), file)


def _change(before, after):
    """Both as text, with only those frames that differ; texts are empty if none does."""
    pairs = zip(Span._fields, map(_text, before), map(_text, after), strict=True)
    changed = [(f"{name} {old}", f"{name} {new}") for name, old, new in pairs if old != new]
    return ", ".join(old for old, _ in changed), ", ".join(new for _, new in changed)


def _told(span):
    pairs = zip(Span._fields, span, strict=True)
    return ", ".join(f"{name} {_text(frame)}" for name, frame in pairs)


def _text(frame):
    if math.isnan(frame):
        return "empty"
    return str(int(frame)) if frame == int(frame) else repr(float(frame))


def _name(file, folder=""):
    """A file by its path in the folder, or by its name if it is not in it."""
    file, folder = (path.replace("\\", "/").rstrip("/") for path in (str(file), str(folder)))
    inside = folder and file.startswith(f"{folder}/")
    return file[len(folder) + 1 :] if inside else file.rsplit("/", 1)[-1]


def _repair(file, label, rule, before, after):
    return (file, label.row, label.subject, label.video, rule, before, after)


def _labels(kept, repairs, file, release):
    rows = [(label.subject, label.video, label.kind, *label.span, label.row) for label in kept]
    table = pd.DataFrame(rows, columns=[*ANNOTATION_COLUMNS, "row"]).astype(TYPES)
    listed = pd.DataFrame(repairs, columns=list(REPAIR_COLUMNS))
    kinds = {name: int if name == "row" else str for name in REPAIR_COLUMNS}
    listed = listed.astype(kinds).sort_values(["file", "row"], kind="stable", ignore_index=True)
    return Labels(table, listed, file, release)
