"""Tables of several runs as one."""

import pandas as pd
import pytest

from jaxspot.annotations.durations import duration_table
from jaxspot.commands import tables
from jaxspot.evaluation.protocol import Protocol
from jaxspot.experiment.tables import FinishedRun, join_tables, rows_by_run
from jaxspot.report.side_by_side import layout2, side_by_side, stacked, table2
from jaxspot.report.tables import COUNTS
from jaxspot.report.text_tables import latex, markdown
from jaxspot.spotting.automated_iou import IntervalRule

KINDS = ("MaE", "ME", "overall")


def tidy(**f1):
    return pd.DataFrame([dict(method=m, kind=kind, f1=x) for m, x in f1.items() for kind in KINDS])


def test_table_2_of_two_data_sets_by_hand():
    rows = [("a", "ME", 1, 10), ("a", "ME", 11, 30), ("a", "MaE", 1, 60)]
    labels = pd.DataFrame(rows, columns=["video", "kind", "onset", "offset"])
    one = duration_table(labels, fps=10, inclusive=True)
    other = duration_table(labels[:2], fps=100, inclusive=False)
    long = table2({"one": one, "other": other})
    assert long.data.tolist() == ["one", "one", "other", "other"]
    wide = layout2(long)
    assert wide.columns.tolist() == [
        ("", "Duration"),
        *[(name, kind) for name in ("one", "other") for kind in ("ME", "MaE")],
    ]
    assert wide.to_numpy().tolist() == [
        ["Minimum (s)", "1.00", "6.00", "0.09", "-"],
        ["Mean (s)", "1.50", "6.00", "0.14", "-"],
        ["Maximum (s)", "2.00", "6.00", "0.19", "-"],
        ["k (frames)", "8", "30", "7", "-"],
        ["Intervals", "2", "1", "2", "0"],
    ]


def test_tables_side_by_side_keep_every_row():
    one = pd.DataFrame({"Method": ["a", "b"], "ME": ["1", "2"]})
    other = pd.DataFrame({"Method": ["b", "c"], "ME": ["3", "4"]})
    wide = side_by_side({"x": one, "y": other})
    assert wide.to_numpy().tolist() == [["a", "1", "-"], ["b", "2", "3"], ["c", "-", "4"]]
    assert markdown(wide, title="t").splitlines()[2] == "| Method | x ME | y ME |"
    assert side_by_side({"x": one}) is one and stacked({"x": one}) is one
    below = stacked({"x": one, "y": other})
    assert below.columns.tolist() == ["Data", "Method", "ME"]
    assert below.Data.tolist() == ["x", "x", "y", "y"]


def test_latex_groups_the_columns_of_each_data_set():
    part = pd.DataFrame({"Method": ["a"], "MaE": ["1"], "ME": ["2"]})
    lines = latex(side_by_side({"SAMM-LV": part, "CAS(ME)^2": part}), title="t").splitlines()
    assert r"\begin{tabular}{lrrrr}" in lines
    top = lines.index(r"\toprule")
    assert lines[top + 1 : top + 4] == [
        r" & \multicolumn{2}{c}{SAMM-LV} &"
        r" \multicolumn{2}{c}{CAS(ME)\textasciicircum{}2} \\",
        r"\cmidrule(lr){2-3} \cmidrule(lr){4-5}",
        r"Method & MaE & ME & MaE & ME \\",
    ]


def test_ours_takes_the_name_of_its_run_and_peers_that_agree_stand_once():
    first = tidy(jaxspot=0.1, random=0.01, peer=0.3)
    second = tidy(jaxspot=0.2, random=0.02, peer=0.3).assign(oracle=[True] * 3 + [False] * 6)
    rows = rows_by_run({"paper": first.assign(oracle=False), "best": second})
    f1 = rows[rows.kind == "ME"].set_index("method").f1
    assert f1.to_dict() == {
        "paper": 0.1,
        "best": 0.2,
        "random (paper)": 0.01,
        "peer": 0.3,
        "random (best)": 0.02,
    }
    assert len(rows) == 15 and rows.method[rows.oracle].unique().tolist() == ["best"]
    assert rows_by_run({"paper": first}) is first


def finished(name, *, length, f1, dataset="bank"):
    """A run on a data set of one label, so many frames long."""
    labels = pd.DataFrame([("a", "ME", 1, length)], columns=["video", "kind", "onset", "offset"])
    durations = table2({dataset: duration_table(labels, fps=10, inclusive=True)})
    counts = dict.fromkeys((*COUNTS, "precision", "recall"), 1.0)
    table5 = tidy(jaxspot=f1, random=0.0).assign(**counts)
    rules = {name: (Protocol(), IntervalRule())}
    return FinishedRun(name, dataset, rules, {2: durations, 5: table5})


def test_banks_of_one_name_and_other_labels_stand_side_by_side(tmp_path):
    runs = [
        finished("first", length=2, f1=0.1),
        finished("again", length=2, f1=0.2),
        finished("elsewhere", length=5, f1=0.3),
        finished("named", length=3, f1=0.4, dataset="SAMM-LV"),
    ]
    joined = join_tables(runs, tmp_path)
    assert len(joined) == 2
    table5 = pd.read_csv(tmp_path / "table5.csv")
    ours = table5[(table5.kind == "ME") & (table5.method != "random")]
    assert ours[["data", "method", "f1"]].to_numpy().tolist() == [
        ["bank (first, again)", "first", 0.1],
        ["bank (first, again)", "again", 0.2],
        ["bank (elsewhere)", "jaxspot", 0.3],
        ["SAMM-LV", "jaxspot", 0.4],
    ]
    longest = pd.read_csv(tmp_path / "table2.csv").set_index(["data", "kind"]).maximum
    assert longest.xs("ME", level="kind").to_dict() == {
        "bank (first, again)": 0.2,
        "bank (elsewhere)": 0.5,
        "SAMM-LV": 0.3,
    }
    assert all("bank (elsewhere)" in table.title for table in joined)


@pytest.mark.parametrize("config, says", [(None, "holds no run"), ("{", "not readable")])
def test_what_is_no_run_is_refused(config, says, tmp_path, capsys):
    if config:
        (tmp_path / "config.json").write_text(config)
    assert tables.main([f"--out={tmp_path / 'out'}", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert says in error and error.count("\n") == 1 and not (tmp_path / "out").exists()
