"""A bank scored by weights from elsewhere: what is written, and what is refused."""

import shutil
from typing import Any

import numpy as np
import pandas as pd
import pytest
from made_spotters import untrained
from tiny_banks import replace, write_bank

from jaxspot.commands import score
from jaxspot.configs import load_config
from jaxspot.experiment.build_weights import describe_data
from jaxspot.experiment.finetuning import describe_start
from jaxspot.experiment.provenance import describe_run, write_provenance
from jaxspot.spotting.saved_spotter import save_shipped, save_spotter
from jaxspot.video.bank import open_bank


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    folder = tmp_path_factory.mktemp("score")
    write_bank(folder / "bank")
    save_spotter(folder / "spotter", untrained())
    save_spotter(folder / "motion", untrained(trunk="regions"))
    return folder


def run(places, out, weights="spotter"):
    named = dict(weights=places / weights, bank=places / "bank", out=out)
    return score.main([f"--{name}={place}" for name, place in named.items()])


def test_scores_intervals_and_tables_are_those_of_the_spotter(places, tmp_path, capsys):
    assert run(places, tmp_path / "out") == 0
    bank, spotter = open_bank(places / "bank"), untrained()
    found = pd.read_csv(tmp_path / "out" / "intervals.csv")
    rows: Any = bank.videos.itertuples()
    for row in rows:
        with np.load(tmp_path / "out" / "scores" / f"{row.video}.npz") as file:
            curve = np.stack([file["ME"], file["MaE"]], 1)
        wanted = spotter.score(bank.frames(row.video), row.fps)
        np.testing.assert_allclose(curve, wanted, atol=1e-5)
        own = found[found.video == row.video]
        assert own.onset.tolist() == spotter.intervals(curve, row.fps).onset.tolist()
        assert set(own.subject) <= {row.subject}
    for number in (4, 5):
        text = (tmp_path / "out" / "tables" / f"table{number}.md").read_text()
        assert "from elsewhere" in text and "none fitted here" in text
    assert "Table 5" in capsys.readouterr().out


def told_titles(out):
    places = [out / "tables" / f"table{number}.md" for number in (4, 5)]
    return [place.read_text().splitlines()[0] for place in places]


@pytest.mark.parametrize("named", ["run", "run/checkpoints/spotter", "file/w.npz", "tuned/w.npz"])
def test_the_bank_of_the_training_is_told(named, places, tmp_path, capsys):
    """Whoever scores it; with other labels, too, but not a bank of other frames."""
    bank = open_bank(shutil.copytree(places / "bank", tmp_path / "bank"))
    run, file, tuned = (tmp_path / name for name in ("run", "file/w.npz", "tuned/w.npz"))
    save_spotter(run / "checkpoints" / "spotter", untrained())
    told = describe_run(load_config("default"), bank)
    write_provenance(run / "provenance.json", told)
    save_shipped(file, untrained(), {"data": describe_data(bank)})
    start = describe_start(bank, untrained(), str(file))
    assert start["trained_on_this_bank"]
    save_shipped(tuned, untrained(), {"data": {"bank_sha256": "0"}, "start": start})
    replace(bank.root, "annotations.csv", "ME,6,8,12", "ME,7,8,12")
    assert open_bank(bank.root).sha256 != bank.sha256
    other = write_bank(tmp_path / "other", subjects=1)
    for number, place in enumerate((bank.root, other)):
        out = tmp_path / str(number)
        flags = dict(weights=tmp_path / named, bank=place, out=out)
        assert score.main([f"--{name}={value}" for name, value in flags.items()]) == 0
        said, seen = capsys.readouterr(), place == bank.root
        assert ("was trained on" in said.err) == seen
        for title in told_titles(out):
            assert ("trained on this bank: nobody is held out" in title) == seen
            assert ("from elsewhere" in title) != seen and title in said.out


def test_what_does_not_go_together_is_refused(places, tmp_path, capsys):
    assert run(places, tmp_path / "out", "motion") == 2
    assert "these weights need region motion" in capsys.readouterr().err
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "file").touch()
    assert run(places, tmp_path / "used") == 2
    assert "is not empty" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
