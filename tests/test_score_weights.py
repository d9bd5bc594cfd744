"""A bank scored by weights from elsewhere: what is written, and what is refused."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from made_spotters import untrained
from tiny_banks import write_bank

from jaxspot.commands import score
from jaxspot.spotting.saved_spotter import save_spotter
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


def test_what_does_not_go_together_is_refused(places, tmp_path, capsys):
    assert run(places, tmp_path / "out", "motion") == 2
    assert "these weights need region motion" in capsys.readouterr().err
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "file").touch()
    assert run(places, tmp_path / "used") == 2
    assert "is not empty" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
