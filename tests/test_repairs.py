import math

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jaxspot.annotations.intervals import ANNOTATION_COLUMNS
from jaxspot.annotations.repairs import (
    REPAIR_COLUMNS,
    RULES,
    Label,
    Labels,
    Span,
    count_repairs,
    fit_to_videos,
    mend,
)
from jaxspot.annotations.rules import SHEET_RULES, past_end
from jaxspot.errors import UserError

NAN = math.nan
CASES = {
    "round_fraction": [
        ((566.4, 600, 700.6), (566, 600, 701)),
        ((0.5, 1.49, NAN), (1, 1, NAN)),
        ((566.0, -1, 0), (566, -1, 0)),
    ],
    "onset_zero": [((0, 5, 9), (1, 5, 9)), ((1, 5, 0), (1, 5, 0)), ((NAN, 5, 9), (NAN, 5, 9))],
    "missing_offset": [
        ((10, 20, 0), (10, 20, 30)),
        ((10, 10, NAN), (10, 10, 10)),
        ((10, 20, 15), (10, 20, 15)),
        ((10, -1, 0), (10, -1, 0)),
        ((10, NAN, NAN), (10, NAN, NAN)),
        ((10, 9, 0), (10, 9, 0)),
    ],
    "offset_before_onset": [
        ((10, 20, 5), (10, 20, 30)),
        ((10, 20, -1), (10, 20, 30)),
        ((10, 20, 0), (10, 20, 0)),
        ((10, 20, 10), (10, 20, 10)),
        ((10, 0, 5), (10, 0, 5)),
    ],
    "missing_apex": [
        ((10, -1, 20), (10, 15, 20)),
        ((10, 0, 21), (10, 15, 21)),
        ((10, NAN, 10), (10, 10, 10)),
        ((10, NAN, 9), (10, NAN, 9)),
        ((10, 3, 20), (10, 3, 20)),
    ],
    "apex_after_offset": [
        ((10, 20, 15), (10, 15, 15)),
        ((10, 20, 20), (10, 20, 20)),
        ((10, 20, 5), (10, 20, 5)),
        ((10, NAN, 15), (10, NAN, 15)),
    ],
}
GLITCHES = {  # a row that each rule mends, as told before and after
    "round_fraction": ((566.4, 600, 700), "onset 566.4", "onset 566", (566, 600, 700)),
    "onset_zero": ((0, 5, 9), "onset 0", "onset 1", (1, 5, 9)),
    "missing_offset": ((10, 20, NAN), "offset empty", "offset 30", (10, 20, 30)),
    "offset_before_onset": ((10, 20, 5), "offset 5", "offset 30", (10, 20, 30)),
    "missing_apex": ((10, -1, 20), "apex -1", "apex 15", (10, 15, 20)),
    "apex_after_offset": ((10, 20, 15), "apex 20", "apex 15", (10, 15, 15)),
}
cell = st.one_of(st.integers(-2, 40), st.floats(0, 40), st.just(NAN))
spans = st.lists(st.tuples(cell, cell, cell), max_size=8)


def read(spans, **options):
    """Mends one label for each span, in rows 11, 12, ... of a sheet."""
    rows = (Label(11 + n, "006", "006_1", "ME", Span(*span)) for n, span in enumerate(spans))
    return mend(rows, file="data/labels.xlsx", sheet="Sheet1", **options)


def frames_of(labels):
    return list(labels.annotations[["onset", "apex", "offset"]].itertuples(index=False, name=None))


def videos(*rows):
    return pd.DataFrame(rows, columns=["subject", "video", "frames", "fps"])


def same(one, two):
    return all(a == b or (math.isnan(a) and math.isnan(b)) for a, b in zip(one, two, strict=True))


@pytest.mark.parametrize("rule", CASES)
def test_each_rule_by_hand(rule):
    for given_span, wanted in CASES[rule]:
        assert same(SHEET_RULES[rule](Span(*given_span)), wanted), given_span


@pytest.mark.parametrize("rule", GLITCHES)
def test_a_repair_is_listed_and_can_be_switched_off(rule):
    span, before, after, wanted = GLITCHES[rule]
    labels = read([(1, 2, 3), span, (4, 5, 6)])
    assert frames_of(labels) == [(1, 2, 3), wanted, (4, 5, 6)]
    row = ("labels.xlsx", 12, "006", "006_1", rule)
    assert labels.repairs.values.tolist() == [[*row, before, after]]
    others = [name for name in RULES if name != rule]
    labels = read([(1, 2, 3), span, (4, 5, 6)], rules=others)
    assert frames_of(labels) == [(1, 2, 3), (4, 5, 6)]
    assert labels.annotations.row.tolist() == [11, 13]
    assert labels.repairs.values.tolist() == [[*row, before, f"left out ({rule} is off)"]]


def test_a_row_goes_through_the_rules_in_their_order():
    labels = read([(0.4, 9.5, NAN), (0, NAN, 8)])
    assert frames_of(labels) == [(1, 10, 19), (1, 4, 8)]
    assert labels.repairs[["row", "rule", "before", "after"]].values.tolist() == [
        [11, "round_fraction", "onset 0.4, apex 9.5", "onset 0, apex 10"],
        [11, "onset_zero", "onset 0", "onset 1"],
        [11, "missing_offset", "offset empty", "offset 19"],
        [12, "onset_zero", "onset 0", "onset 1"],
        [12, "missing_apex", "apex empty", "apex 4"],
    ]


@pytest.mark.parametrize(
    "span", [(NAN, 5, 9), (-3, 5, 9), (10, 5, 20), (10, NAN, 0), (10, -1, 5), (NAN, NAN, NAN)]
)
def test_what_no_rule_mends_is_one_line_with_file_sheet_and_row(span):
    with pytest.raises(UserError) as error:
        read([(1, 2, 3), span])
    line = str(error.value)
    assert line.startswith("data/labels.xlsx, sheet 'Sheet1', row 12: no rule mends onset ")
    assert "\n" not in line


@given(spans, st.sets(st.sampled_from(RULES)))
def test_whatever_a_sheet_holds_nothing_is_lost_silently(spans, rules):
    try:
        labels = read(spans, rules=rules)
    except UserError:
        return
    kept = dict(zip(labels.annotations.row, frames_of(labels), strict=True))
    out = labels.repairs[labels.repairs.after.str.startswith("left out")]
    assert sorted([*kept, *out.row]) == list(range(11, 11 + len(spans)))
    assert not set(labels.repairs.rule) - rules - set(out.rule)
    for row, frames in kept.items():
        assert 1 <= frames[0] <= frames[1] <= frames[2]
        assert same(frames, spans[row - 11]) or row in set(labels.repairs.row)
    again = read(kept.values(), rules=rules)
    assert frames_of(again) == list(kept.values()) and again.repairs.empty


@settings(max_examples=25)
@given(st.lists(st.lists(st.integers(1, 60), min_size=3, max_size=3).map(sorted), max_size=6))
def test_fitting_is_cutting_sets_of_frames(spans):
    labels = read(spans)
    for frames, rules in ((40, RULES), (40, ["no_video"]), (1, RULES), (60, ())):
        fitted = fit_to_videos(labels, videos(("006", "006_1", frames, 200.0)), rules=rules)
        inside = [set(range(a, c + 1)) & set(range(1, frames + 1)) for a, _, c in spans]
        whole = [c <= frames for *_, c in spans]
        cut = "past_end" in rules
        seen = [bool(kept) and (fits or cut) for kept, fits in zip(inside, whole, strict=True)]
        ends = [(min(k), max(k)) if s else None for k, s in zip(inside, seen, strict=True)]
        again = [
            "duplicate" in rules and e is not None and e in ends[:n] for n, e in enumerate(ends)
        ]
        wanted = [
            (min(kept), min(apex, frames), max(kept))
            for kept, shown, same, (_, apex, _) in zip(inside, seen, again, spans, strict=True)
            if shown and not same
        ]
        assert frames_of(fitted) == wanted
        rows = fitted.repairs.groupby("rule").row.agg(list).to_dict()
        assert rows.get("past_end", []) == [11 + n for n, fits in enumerate(whole) if not fits]
        twice = [11 + n for n, same in enumerate(again) if same]
        assert rows.get("duplicate", []) == twice


def test_fitting_lists_what_it_clips_and_leaves_out():
    labels = read([(5, 7, 9), (90, 95, 120), (101, 105, 120), (0, 5, 9)])
    other = Label(15, "007", "007_3", "MaE", Span(1, 2, 3))
    other = mend([other], file=labels.file, sheet="Sheet1")
    labels = Labels(pd.concat([labels.annotations, other.annotations]), labels.repairs, labels.file)
    fitted = fit_to_videos(labels, videos(("006", "006_1", 100, 200.0), ("006", "006_2", 9, 200.0)))
    assert frames_of(fitted) == [(5, 7, 9), (90, 95, 100), (1, 5, 9)]
    assert tuple(fitted.annotations) == (*ANNOTATION_COLUMNS, "row")
    assert fitted.annotations.dtypes.map(str).tolist() == ["str"] * 3 + ["int64"] * 4
    assert tuple(fitted.repairs) == REPAIR_COLUMNS
    assert fitted.repairs.drop(columns=["file", "subject"]).values.tolist() == [
        [12, "006_1", "past_end", "offset 120", "offset 100"],
        [13, "006_1", "past_end", "onset 101, apex 105, offset 120",
         "left out (the video ends with frame 100)"],
        [14, "006_1", "onset_zero", "onset 0", "onset 1"],
        [15, "007_3", "no_video", "video 007_3", "left out (there is no such video)"],
    ]  # fmt: skip
    with pytest.raises(UserError, match=r"^data/labels.xlsx, row 15: there is no video 007_3"):
        fit_to_videos(labels, videos(("006", "006_1", 200, 200.0)), rules=["past_end"])
    with pytest.raises(UserError, match=r"^data/labels.xlsx, row 11: subject is '006'"):
        fit_to_videos(labels, videos(("6", "006_1", 200, 200.0)))


def test_repairs_are_counted_by_label_and_by_rule():
    """A label that two rules mend counts once; one that is left out after a repair as left out."""
    spans = [(5, 7, 9), (0, 95, 120), (90, 95, 120), (30, -1, 40), (0, 5.5, 9), (101, 105, 120)]
    for kept, said in (
        (1, ""),
        (2, "1 label mended (onset_zero 1, past_end 1)"),
        (3, "2 labels mended (past_end 2, onset_zero 1)"),
        (4, "3 labels mended (past_end 2, onset_zero 1, missing_apex 1)"),
        (5, "4 labels mended (onset_zero 2, past_end 2, round_fraction 1, missing_apex 1)"),
    ):
        fitted = fit_to_videos(read(spans[:kept]), videos(("006", "006_1", 100, 200.0)))
        assert count_repairs(fitted.repairs) == said
    fitted = fit_to_videos(read(spans[2:]), videos(("006", "006_1", 100, 200.0)))
    assert count_repairs(fitted.repairs).endswith(", 1 left out (past_end)")
    gone = fit_to_videos(read([(0, 5, 9), (1, 5, 9)]), videos())
    assert count_repairs(gone.repairs) == "2 labels left out (no_video)"


def test_clipping_takes_the_apex_along():
    assert past_end(Span(10, 95, 120), 90) == (10, 90, 90)
    assert past_end(Span(90, 90, 90), 90) == (90, 90, 90)
    assert past_end(Span(91, 95, 120), 90) is None


def test_nothing_in_gives_empty_tables():
    labels = fit_to_videos(read([]), videos())
    assert tuple(labels.annotations) == (*ANNOTATION_COLUMNS, "row") and labels.annotations.empty
    assert tuple(labels.repairs) == REPAIR_COLUMNS and labels.repairs.empty


def test_an_unknown_rule_is_named_with_the_known_ones():
    for call in (lambda r: read([], rules=r), lambda r: fit_to_videos(read([]), videos(), rules=r)):
        with pytest.raises(UserError, match=f"'rounding'.*{', '.join(RULES)}"):
            call(["past_end", "rounding"])
