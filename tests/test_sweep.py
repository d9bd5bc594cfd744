"""Several runs as one config: what they stand for, what they share, what they leave."""

import json

import pandas as pd
import pytest
from tiny_banks import write_bank

from configs import default
from jaxspot.commands import train
from jaxspot.errors import UserError
from jaxspot.experiment.settings import read_settings
from jaxspot.experiment.variants import expand, training_key
from jaxspot.report.seeds import layout_seeds, seeds_table

CONFIG = """
from configs import default

def get_config(arguments=""):
    config = default.get_config("best")
    config.model.widths, config.model.multiplier = (4, 4, 4), 2
    config.training.update(epochs=1, steps=2, batch=4, validation_batches=1, patience=5)
    config.protocol.fit = "training"
    config.control.folds = 0
    config.variants = (
        ("full", ()),
        ("manual_skip", (("protocol.frame_skip", "manual"),)),
        ("oracle_skip", (("protocol.frame_skip", "test_oracle"),)),
    )
    return config
"""


def names(config):
    return [member.name for member, _ in expand(config)]


def test_a_config_stands_for_its_variants_with_every_seed():
    config = default.get_config()
    assert [(m.variant, m.seed, m.name) for m, _ in expand(config)] == [("", 0, "")]
    config.seeds = (3, 5)
    assert names(config) == ["seed3", "seed5"]
    config.variants = (("full", ()), ("bare", (("model.dropout", 0.0), ("protocol.iou", 0.4))))
    assert names(config) == ["full_seed3", "full_seed5", "bare_seed3", "bare_seed5"]
    bare = expand(config)[3][1]
    assert (bare.model.dropout, bare.protocol.iou, bare.seed) == (0.0, 0.4, 5)
    assert bare.seeds == bare.variants == () and config.model.dropout == 0.1
    assert all(len(expand(member)) == 1 for _, member in expand(config))


@pytest.mark.parametrize(
    "change, says",
    [
        (dict(seeds=(1, 1)), "seeds names one twice: 1, 1"),
        (dict(variants=(("a", ()), ("a", ()))), "variants names one twice"),
        (dict(variants=(("a", (("model.depth", 3),)),)), "model.depth = 3 cannot be set"),
        (dict(variants=(("a", (("model.dropout", "much"),)),)), "cannot be set"),
    ],
)
def test_a_family_that_cannot_be_is_refused(change, says):
    config = default.get_config()
    config.update(change)
    with pytest.raises(UserError, match=says):
        expand(config)


def test_what_trains_alike_has_one_key():
    config = default.get_config()
    key = lambda: training_key(read_settings(config))
    first = key()
    config.protocol.frame_skip = "manual"
    assert key() == first
    config.model.dropout = 0.2
    assert key() != first
    config.model.dropout = 0.1
    config.seed = 1
    assert key() != first


def test_other_networks_have_another_key():
    """By "training" and "validation" as many are trained, but not on the same people."""
    config, keys = default.get_config("best"), set()
    for fit, groups in (("inner", 8), ("inner", 4), ("training", 8), ("validation", 8)):
        config.protocol.update(fit=fit, inner_groups=groups)
        keys.add(training_key(read_settings(config)))
    assert len(keys) == 4
    config.protocol.inner_groups = 4
    assert training_key(read_settings(config)) in keys


def test_mean_and_deviation_over_seeds():
    row = dict(method="a", predictions=4, ground_truth=4, tp=2, fp=2, fn=2)
    rows = [
        row | dict(seed=seed, kind=kind, f1=f1)
        for seed, f1 in ((0, 0.2), (1, 0.4))
        for kind in ("MaE", "ME", "overall")
    ]
    wide = layout_seeds(seeds_table(rows))
    assert wide.to_dict("records") == [
        {"Method": "a", "Seeds": "2", **dict.fromkeys(("MaE", "ME", "Overall"), "0.300 ± 0.141")}
    ]
    marked = layout_seeds(seeds_table([rows[0] | dict(oracle=True), *rows[1:]]))
    assert marked.Method[0] == "a (oracle)"


def check_what_they_leave_together(run):
    read = lambda place: pd.read_csv(place).set_index(["method", "kind"])
    members = ("full", "manual_skip", "oracle_skip")
    for number in (4, 5, 6):
        together = read(run / "tables" / f"table{number}.csv")
        for member in members:
            own = read(run / member / "tables" / f"table{number}.csv")
            for kind in ("ME", "MaE"):
                assert together.loc[(member, kind), "f1"] == own.loc[("jaxspot", kind), "f1"]
    differences, table5 = (read(run / "tables" / f"{n}.csv") for n in ("differences", "table5"))
    assert sorted(set(differences.index.get_level_values(0))) == ["manual_skip", "oracle_skip"]
    for (member, kind), row in differences.iterrows():
        f1 = lambda name, kind=kind: table5.loc[(name, kind), "f1"]
        assert row.difference == pytest.approx(f1(member) - f1("full"))
        assert row.oracle == (member == "oracle_skip")
    title = (run / "tables" / "table5.md").read_text().split("\n")[0]
    assert "searched on validation subjects, threshold by interval F1 of training" in title
    assert "(manual_skip)" in title and "saw test data" in title
    page = (run / "report.html").read_text()
    assert all(f'href="{member}/report.html"' in page for member in members)
    assert "Table 7." in page and "Table 2." in page
    assert page.index("Table 5.") < page.index("Table 4.") < page.index("Table 2.")
    assert table5.loc["moilanen"].shape[0] == 3, "what all runs agree on stands once"
    assert not [*run.rglob("people.png"), *run.rglob("one_M*.png")], "no real face unless asked"


def test_ablations_share_bank_and_training_and_go_on(tmp_path, monkeypatch, request, capfd):
    monkeypatch.chdir(request.config.rootpath)
    (tmp_path / "family.py").write_text(CONFIG)
    bank, run = write_bank(tmp_path / "bank", subjects=3, frames=60), tmp_path / "run"
    flags = [f"--config={tmp_path / 'family.py'}", f"--config.data.bank={bank}", f"--workdir={run}"]
    assert train.main(flags) == 0
    table = pd.read_csv(run / "tables" / "table7.csv").set_index(["variant", "kind"])
    assert list(dict.fromkeys(table.index.get_level_values(0))) == [
        "full",
        "manual_skip",
        "oracle_skip",
    ]
    for variant in ("full", "manual_skip", "oracle_skip"):
        own = pd.read_csv(run / variant / "tables" / "table5.csv").set_index(["method", "kind"])
        for kind in ("ME", "MaE", "overall"):
            assert table.loc[(variant, kind), "tp"] == own.loc[("jaxspot", kind), "tp"]
    oracle = [variant == "oracle_skip" for variant, _ in table.index]
    assert table.oracle.tolist() == oracle
    check_what_they_leave_together(run)
    title = (run / "oracle_skip" / "tables" / "table5.md").read_text().split("\n")[0]
    assert title.endswith("(oracle: the frame skip saw test data)")
    assert "oracle" not in (run / "manual_skip" / "tables" / "table5.md").read_text()
    assert len(list((run / "trained").iterdir())) == 1
    metrics = [(run / v / "metrics.jsonl").read_text() for v in ("full", "manual_skip")]
    assert metrics[0] == metrics[1] and len(metrics[0].splitlines()) == 3
    skips = json.loads((run / "manual_skip" / "checkpoints" / "frame_skips.json").read_text())
    assert sorted(skips["factors"]) == ["s1", "s2", "s3"]

    before = (run / "tables" / "table7.csv").read_bytes()
    (run / "full" / "report.html").unlink()  # as if it was cut before its end
    capfd.readouterr()
    assert train.main([*flags, "--resume"]) == 0
    assert (run / "tables" / "table7.csv").read_bytes() == before
    assert (run / "full" / "report.html").exists()
