import io

import pandas as pd
import pytest

from jaxspot.evaluation.f1 import score_intervals
from jaxspot.report.tables import (
    TABLE5_COLUMNS,
    layout4,
    layout5,
    score_rows,
    table4,
    table5,
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
