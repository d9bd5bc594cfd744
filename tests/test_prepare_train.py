"""From a prepared release to every table, and the tables of both beside each other."""

import json

import pandas as pd
from release_trees import cas_me2_tree, samm_lv_tree

from jaxspot.annotations.durations import k_frame
from jaxspot.commands import prepare, tables, train
from jaxspot.training.folds import loso_folds
from jaxspot.video.bank import open_bank

TINY = [
    "--config.model.widths=(4,4,4)",
    "--config.model.multiplier=2",
    "--config.training.epochs=1",
    "--config.training.steps=2",
    "--config.training.batch=4",
    "--config.training.validation_batches=1",
]


RELEASES = [("samm_lv", samm_lv_tree, True, 200, 1), ("cas_me2", cas_me2_tree, False, 30, 0)]

DATA = ["SAMM-LV", "CAS(ME)^2"]


def prepare_and_train(folder, name, tree, fps, control):
    tree(folder / "source")
    flags = [f"--dataset={name}", f"--source={folder / 'source'}", f"--out={folder / 'bank'}"]
    assert prepare.main([*flags, "--workers=1"]) == 0
    config = f"--config=configs/ablations.py:{name},full,manual_skip"
    shift = [f"--config.control.folds={control}", f"--config.control.seconds={15 / fps}"]
    flags = [config, f"--config.data.bank={folder / 'bank'}", f"--workdir={folder / name}"]
    assert train.main([*flags, *TINY, *shift]) == 0
    return folder / name


def check_k(bank, run, *, inclusive, fps):
    place = run / "full" / "checkpoints" / "spotter" / "weights" / "spotter.json"
    saved = json.loads(place.read_text())
    for fold, skips in zip(loso_folds(bank.videos.subject), saved["skip_seconds"], strict=True):
        others = bank.annotations[bank.annotations.subject != fold.held_out]
        k = k_frame(others, inclusive=inclusive)
        assert [int(seconds * fps + 0.5 + 1e-6) for seconds in skips] == [k["ME"], k["MaE"]]


def test_both_releases_train_and_leave_every_table_side_by_side(
    tmp_path, monkeypatch, request, capsys
):
    monkeypatch.chdir(request.config.rootpath)
    runs = []
    for name, tree, inclusive, fps, control in RELEASES:
        folder = tmp_path / f"of_{name}"
        run = prepare_and_train(folder, name, tree, fps, control)
        runs.append(str(run))
        of_all = [
            run / "tables" / f"{t}" for t in ("table2", "table4", "table5", "table6", "table7")
        ]
        for stem in (*of_all, *[run / "full" / "tables" / "control"] * control):
            for ending in (".csv", ".md", ".tex"):
                assert stem.with_suffix(ending).stat().st_size > 0
        bank = open_bank(folder / "bank")
        table = pd.read_csv(run / "tables" / "table5.csv").set_index(["method", "kind"])
        assert table.ground_truth.loc[("full", "overall")] == len(bank.annotations) == 6
        assert (run / "report.html").is_file() and (run / "full" / "report.html").is_file()
        assert (run / "full" / "tables" / "megc2020_log.txt").is_file()
        check_k(bank, run, inclusive=inclusive, fps=fps)
    assert tables.main([f"--out={tmp_path / 'both'}", *runs]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"open {tmp_path / 'both' / 'table5.md'}"
    for number in (2, 4, 5, 6, 7):
        both = pd.read_csv(tmp_path / "both" / f"table{number}.csv")
        assert list(dict.fromkeys(both.data)) == DATA
        for run, name in zip(runs, DATA, strict=True):
            own = pd.read_csv(f"{run}/tables/table{number}.csv")
            assert len(both[both.data == name]) == len(own)
    printed = (tmp_path / "both" / "table7.tex").read_text()
    assert (
        r"\multicolumn{4}{c}{SAMM-LV} & \multicolumn{4}{c}{CAS(ME)\textasciicircum{}2}" in printed
    )
