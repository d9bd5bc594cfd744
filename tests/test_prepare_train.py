"""From a prepared release to every table, by the two commands of its config's header."""

import json

import pandas as pd
import pytest
from release_trees import cas_me2_tree, samm_lv_tree

from jaxspot.annotations.durations import k_frame
from jaxspot.commands import prepare, train
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


@pytest.mark.parametrize(
    "name, tree, inclusive, fps, control",
    [("samm_lv", samm_lv_tree, True, 200, 1), ("cas_me2", cas_me2_tree, False, 30, 0)],
)
def test_a_release_trains_and_writes_every_table(
    name, tree, inclusive, fps, control, tmp_path, monkeypatch, request
):
    monkeypatch.chdir(request.config.rootpath)
    tree(tmp_path / "source")
    flags = [f"--dataset={name}", f"--source={tmp_path / 'source'}", f"--out={tmp_path / 'bank'}"]
    assert prepare.main([*flags, "--workers=1"]) == 0
    run = tmp_path / "run"
    config = [f"--config=configs/{name}.py", f"--config.data.bank={tmp_path / 'bank'}"]
    shift = [f"--config.control.folds={control}", f"--config.control.seconds={15 / fps}"]
    assert train.main([*config, *TINY, *shift, f"--workdir={run}"]) == 0
    for table in ("table4", "table5", *["control"] * control):
        for ending in ("csv", "md", "tex"):
            assert (run / "tables" / f"{table}.{ending}").stat().st_size > 0
    bank = open_bank(tmp_path / "bank")
    table = pd.read_csv(run / "tables" / "table5.csv").set_index(["method", "kind"])
    assert table.ground_truth.loc[("jaxspot", "overall")] == len(bank.annotations) == 6
    assert (run / "report.html").is_file()
    saved = json.loads((run / "checkpoints" / "spotter" / "weights" / "spotter.json").read_text())
    for fold, durations in zip(loso_folds(bank.videos.subject), saved["durations"], strict=True):
        others = bank.annotations[bank.annotations.subject != fold.held_out]
        k = k_frame(others, inclusive=inclusive)
        assert [int(seconds * fps + 1 + 1e-6) // 2 for seconds in durations] == [k["ME"], k["MaE"]]
