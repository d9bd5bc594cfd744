import numpy as np
import pandas as pd
import pytest

from jaxspot.errors import UserError
from jaxspot.evaluation.f1 import score_intervals
from jaxspot.evaluation.megc_log import megc_log


def table(*rows):
    return pd.DataFrame(rows, columns=["video", "kind", "onset", "offset"])


def rows_of(text):
    """Cells of every row after the first; a name may hold spaces."""
    return [line.rsplit(maxsplit=5) for line in text.splitlines()[1:]]


LABELS = table(("15_0102", "ME", 40, 49), ("15_0101", "MaE", 557, 600), ("15_0101", "ME", 20, 29))
GUESSES = table(
    ("15_0101", "ME", 25, 29),  # half of it
    ("15_0101", "ME", 300, 309),
    ("15_0101", "MaE", 550, 610),
    ("15_0102", "MaE", 40, 49),  # the other kind
)


def test_a_log_by_hand():
    text = megc_log(GUESSES, LABELS, videos=["15_0101", "15_0102"], dataset="cas_me2")
    assert text == (
        "2\n"
        "15_0101  20      29      25      29      TP\n"
        "15_0101  -       -       300     309     FP\n"
        "15_0101  557     600     550     610     TP\n"
        "15_0102  40      49      -       -       FN\n"
        "15_0102  -       -       40      49      FP\n"
    )


def test_order_is_that_of_the_videos_and_nothing_to_tell_is_one_line():
    videos = pd.DataFrame({"video": ["15_0102", "15_0101", "006_1"]})
    rows = rows_of(megc_log(GUESSES, LABELS, videos=videos, dataset="samm_lv"))
    assert [row[0] for row in rows] == ["15_0102"] * 2 + ["15_0101"] * 3
    assert megc_log(table(), table(), videos=videos, dataset="samm_lv") == "1\n"


def test_rows_go_by_the_onset_of_the_prediction_where_there_is_one():
    labels = table(("a", "MaE", 13, 60), ("a", "ME", 12, 31))
    guesses = table(("a", "MaE", 100, 140), ("a", "ME", 15, 31))
    rows = rows_of(megc_log(guesses, labels, videos=["a"], dataset="samm_lv"))
    assert [row[-1] for row in rows] == ["FN", "TP", "FP"]


def test_columns_never_touch():
    name = "a very long name of a video"
    labels = table((name, "ME", 123456789, 123456799))
    text = megc_log(labels, labels, videos=[name], dataset="samm_lv")
    assert rows_of(text) == [[name, *["123456789", "123456799"] * 2, "TP"]]


def test_one_prediction_may_find_two_labels_and_two_predictions_one():
    twice = table(("a", "ME", 1, 10), ("a", "ME", 11, 20))
    once = table(("a", "ME", 1, 20))
    log = lambda *tables: rows_of(megc_log(*tables, videos=["a"], dataset="samm_lv"))
    both = [["a", "1", "10", "1", "20", "TP"], ["a", "11", "20", "1", "20", "TP"]]
    assert log(once, twice) == both
    assert log(twice, once) == [["a", "1", "20", "1", "10", "TP"]]


def some(rng, count, videos):
    onset = rng.integers(1, 40, count)
    kinds, names = rng.choice(["ME", "MaE"], count), rng.choice(videos, count)
    return table(*zip(names, kinds, onset, onset + rng.integers(1, 20, count), strict=True))


@pytest.mark.parametrize("seed", range(10))
def test_counts_of_the_log_are_those_of_the_scorer(seed):
    rng, videos = np.random.default_rng(seed), ["a", "b", "c", "still"]
    labels, guesses = some(rng, 15, videos[:3]), some(rng, 30, videos[:3])
    scores = score_intervals(guesses, labels, videos=videos, matching="megc2020")
    rule = dict(videos=videos, dataset="samm_lv")
    for kind, row in scores.items():
        mine = [x[x.kind == kind] if kind in ("ME", "MaE") else x for x in (guesses, labels)]
        verdicts = [cells[-1] for cells in rows_of(megc_log(*mine, **rule))]
        assert [verdicts.count(what) for what in ("TP", "FP", "FN")] == [
            row[name] for name in ("tp", "fp", "fn")
        ]


@pytest.mark.parametrize("seed", range(10))
def test_every_label_is_in_the_log(seed):
    rng, videos = np.random.default_rng(seed), ["a", "b"]
    labels, guesses = (some(rng, n, videos).drop_duplicates() for n in (12, 25))
    rows = rows_of(megc_log(guesses, labels, videos=videos, dataset="cas_me2"))
    seen = lambda cells: sorted(cells[["video", "onset", "offset"]].astype(str).values.tolist())
    told = [[row[0], *row[1:3]] for row in rows if row[1] != "-"]
    assert sorted(told) == seen(labels)
    predicted = {(row[0], *row[3:5]) for row in rows if row[3] != "-"}
    assert predicted <= set(map(tuple, seen(guesses)))
    for _, *frames, what in rows:
        if what == "TP":
            a, b, c, d = map(int, frames)
            both = min(b, d) - max(a, c) + 1
            assert 2 * both >= (b - a + 1) + (d - c + 1) - both


def test_what_cannot_be_logged_is_named():
    with pytest.raises(ValueError, match="samm_lv, cas_me2"):
        megc_log(table(), table(), videos=[], dataset="synthetic")
    with pytest.raises(UserError, match="'b'"):
        megc_log(table(("b", "ME", 1, 2)), table(), videos=["a"], dataset="samm_lv")
