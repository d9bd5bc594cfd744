import io

import pandas as pd
import pytest

from jaxspot.evaluation.f1 import score_intervals
from jaxspot.report.tables import (
    TABLE5_COLUMNS,
    TABLE7_COLUMNS,
    control_table,
    difference_table,
    difference_title,
    f1_cell,
    layout4,
    layout5,
    layout_control,
    layout_difference,
    score_rows,
    table4,
    table5,
    table7,
    table_title,
    write_tables,
)


def scores(tp):
    columns = ["video", "kind", "onset", "offset"]
    labels = pd.DataFrame([("a", "ME", 10 * i + 1, 10 * i + 8) for i in range(4)], columns=columns)
    return score_intervals(labels.iloc[:tp], labels, videos=["a"])


def rows(**oracle):
    return score_rows("jaxspot", scores(3), **oracle) + score_rows("no_lcn & co", scores(1))


def test_table5_has_a_row_a_method_and_kind():
    tidy = table5(rows())
    assert list(tidy) == list(TABLE5_COLUMNS)
    assert tidy.kind.tolist() == ["MaE", "ME", "overall"] * 2
    assert tidy.f1.tolist() == pytest.approx([0, 6 / 7, 6 / 7, 0, 2 / 5, 2 / 5])


def test_layout_is_the_papers():
    wide = layout5(table5(rows()))
    assert list(wide) == ["Method", "MaE", "ME", "Overall", "TP / FP / FN"]
    assert wide.values.tolist()[0] == ["jaxspot", "0.0000", "0.8571", "0.8571", "3 / 0 / 1"]
    wide = layout4(
        table4(score_rows("a", {"ME": dict(f1=0.1, auc=float("nan")), "MaE": dict(f1=1, auc=0.5)}))
    )
    assert list(wide) == ["Method", "MaE F1", "MaE AUC", "ME F1", "ME AUC"]
    assert wide.values.tolist() == [["a", "1.0000", "0.5000", "0.1000", "-"]]


def test_oracle_is_in_the_title_a_column_and_the_row():
    tidy = table5(rows(oracle=True))
    assert tidy.oracle.tolist() == [True] * 3 + [False] * 3
    assert layout5(tidy).Method.tolist() == ["jaxspot (oracle)", "no_lcn & co"]
    title = table_title(5, dataset="synthetic", protocol="one_to_one", oracle=True)
    assert "oracle" in title.lower()
    assert "synthetic" in title
    assert "oracle" not in table_title(4, dataset="x", protocol="y").lower()


def test_three_files_tell_the_same(tmp_path):
    tidy = table5(rows())
    title = table_title(5, dataset="synthetic_30", protocol="one_to_one")
    paths = write_tables(tidy, layout5(tidy), tmp_path / "tables" / "table5", title=title)
    assert [p.name for p in paths] == ["table5.csv", "table5.md", "table5.tex"]
    assert sorted(p.name for p in paths[0].parent.iterdir()) == [p.name for p in paths]
    pd.testing.assert_frame_equal(pd.read_csv(paths[0]), tidy, check_dtype=False)
    lines = paths[1].read_text().splitlines()
    assert lines[0] == title
    assert len({len(line) for line in lines[2:]}) == 1
    body = pd.read_csv(io.StringIO("\n".join(lines[2:3] + lines[4:])), sep="|", dtype=str)
    assert body.iloc[:, 1].str.strip().tolist() == ["jaxspot", "no_lcn & co"]
    tex = paths[2].read_text()
    assert r"no\_lcn \& co & 0.0000 & 0.4000 & 0.4000 & 1 / 0 / 3 \\" in tex
    assert r"synthetic\_30" in tex
    assert tex.count(r"\begin") == tex.count(r"\end") == 2


def test_means_of_random_draws_are_printed_with_a_digit():
    row = dict.fromkeys(TABLE5_COLUMNS[2:], 0.25)
    tidy = table5(score_rows("random", {kind: row for kind in ("ME", "MaE", "overall")}))
    assert layout5(tidy).iloc[0, -1] == "0.2 / 0.2 / 0.2"


def bounded(tp, low, high):
    return {kind: row | dict(f1_low=low, f1_high=high) for kind, row in scores(tp).items()}


def test_f1_stands_with_its_interval_where_it_has_one():
    tidy = table5(score_rows("ours", bounded(3, 0.5, 1.0)) + score_rows("random", scores(1)))
    place = TABLE5_COLUMNS.index("f1") + 1
    assert list(tidy)[place - 1 : place + 2] == ["f1", "f1_low", "f1_high"]
    assert tidy.f1_low.isna().tolist() == [False] * 3 + [True] * 3
    wide = layout5(tidy)
    assert wide.ME.tolist() == ["0.86 [0.50, 1.00]", "0.40"]
    assert wide["TP / FP / FN"].tolist() == ["3 / 0 / 1", "1 / 0 / 3"]


def test_cells_round_without_a_negative_zero():
    assert f1_cell(0.444, 0.314, 0.546) == "0.44 [0.31, 0.55]"
    assert f1_cell(-0.001, -0.004, 0.2) == "0.00 [0.00, 0.20]"
    assert f1_cell(0.1, float("nan"), float("nan")) == "0.10"
    assert f1_cell(float("nan")) == f1_cell(None) == "-"
    assert f1_cell(0.1, -0.2, 0.3, sign="+") == "+0.10 [-0.20, 0.30]"


def test_table_6_is_named_after_its_method():
    title = table_title(6, dataset="d", protocol="p")
    assert title.startswith("Table 6. Intervals: F1, Manual IoU Method")


def test_table_7_has_a_row_a_variant(tmp_path):
    made = score_rows("Original", bounded(3, 0.5, 1.0)) + score_rows("No LCN", scores(1))
    tidy = table7(made)
    assert list(tidy) == list(TABLE7_COLUMNS)
    assert tidy.variant.tolist() == ["Original"] * 3 + ["No LCN"] * 3
    wide = layout5(tidy)
    assert list(wide) == ["Variant", "MaE", "ME", "Overall", "TP / FP / FN"]
    assert wide.ME.tolist() == ["0.86 [0.50, 1.00]", "0.40"]
    title = table_title(7, dataset="d", protocol="p")
    assert title.startswith("Table 7. Ablations")
    paths = write_tables(tidy, wide, tmp_path / "table7", title=title, note="95 %")
    assert paths[1].read_text().endswith("|\n\n95 %\n")
    tex = paths[2].read_text()
    assert r"Original & 0.00 [0.50, 1.00] & 0.86 [0.50, 1.00]" in tex
    assert r"95 \%}" in tex and tex.count(r"\toprule") == tex.count(r"\bottomrule") == 1
    marked = table7(score_rows("a", scores(1), oracle=True))
    assert list(marked) == [*TABLE7_COLUMNS, "oracle"]
    some = table7([*score_rows("a", scores(1), oracle=True), dict(rows()[0], oracle=None)])
    assert some.oracle.tolist() == [True, True, True, False]
    assert layout5(marked).Variant.tolist() == ["a (oracle)"]


def test_differences_have_a_sign_and_a_reference():
    values = {"ME": (0.1, -0.05, 0.25), "MaE": (-0.2, -0.3, -0.1), "overall": (0.0, -0.1, 0.1)}
    names = ("difference", "low", "high")
    pairs = {kind: dict(zip(names, row, strict=True)) for kind, row in values.items()}
    tidy = difference_table(score_rows("no_lcn", pairs))
    assert list(tidy) == ["method", "kind", *names]
    wide = layout_difference(tidy)
    assert wide.values.tolist() == [
        ["no_lcn", "-0.20 [-0.30, -0.10]", "+0.10 [-0.05, 0.25]", "+0.00 [-0.10, 0.10]"]
    ]
    title = difference_title("jaxspot", dataset="d", protocol="p", oracle="the frame skip")
    assert "each method minus that of jaxspot" in title
    assert title.endswith("(oracle: the frame skip saw test data)")


def test_chance_has_no_interval_of_ours():
    found = {kind: row | dict(random_f1_p95=0.25) for kind, row in bounded(3, 0.5, 1.0).items()}
    wide = layout_control(control_table(score_rows("rolled labels", found)))
    assert wide.ME.tolist() == ["0.86 [0.50, 1.00]", "0.25"]
