"""From synthetic people to one file of weights, at the smallest size that trains."""

import json

import pandas as pd
import pytest
from tiny_banks import ROOT

from jaxspot.annotations.intervals import INTERVAL_COLUMNS
from jaxspot.commands import build_weights
from jaxspot.errors import UserError
from jaxspot.experiment.build_weights import group_networks
from jaxspot.spotting.saved_spotter import load_spotter
from jaxspot.spotting.spotter_file import SHIPPED, read_card
from jaxspot.video.bank import open_bank

SMALL = (
    "--config.data.synthetic.subjects=6",
    "--config.data.synthetic.seconds=12",
    "--config.data.synthetic.videos_per_subject=1",
    "--config.training.epochs=1",
    "--config.training.steps=2",
    "--config.training.batch=4",
    "--config.weights.groups=3",
)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    root = tmp_path_factory.mktemp("weights")
    flags = [f"--out={root / 'w.npz'}", f"--workdir={root / 'work'}", f"--card={root / 'card.md'}"]
    assert build_weights.main([*flags, *SMALL]) == 0
    return root


def test_the_file_holds_a_spotter_with_a_judge_and_posed_crops(built):
    spotter = load_spotter(built / "w.npz")
    assert spotter.alignment == "posed" and spotter.judge is not None
    assert len(spotter.k_seconds) == len(spotter.rules) == 3
    bank = open_bank(built / "work" / "bank")
    video = bank.videos.video[0]
    scores = spotter.score(bank.frames(video), 30.0)
    assert scores.shape == (360, 2)
    found = spotter.intervals(scores, 30.0, min_chance=0.0)
    assert list(found.columns) == list(INTERVAL_COLUMNS) and found.score.between(0, 1).all()


def test_the_card_says_what_the_file_is_made_of(built):
    card, page = read_card(built / "w.npz"), (built / "card.md").read_text()
    assert card["data"]["level"] == "untidy" and card["data"]["people"] == 6
    assert card["networks"] == 3 and card["bytes"] == (built / "w.npz").stat().st_size
    assert card["sha256"] in page or card["sha256"][:12] in page
    assert json.loads((built / "card.json").read_text())["sha256"] == card["sha256"]
    table = pd.read_csv(built / "work" / "candidates.csv")
    assert set(table.video) <= set(open_bank(built / "work" / "bank").videos.video)


def test_every_person_is_scored_by_two_networks_that_were_not_trained_on_them(built):
    bank = open_bank(built / "work" / "bank")
    networks = group_networks(bank, 3)
    for person in set(bank.videos.subject):
        numbers = networks.of_subject(person)
        assert len(numbers) == 2
        for number in numbers:
            assert person not in networks.folds[number].subjects
            assert person in networks.folds[number].held_out
    for groups in (2, 7):
        with pytest.raises(UserError, match=r"must lie in 3\.\.6"):
            group_networks(bank, groups)


def test_a_second_run_resumes_to_the_same_bytes(built, capsys):
    before = (built / "w.npz").read_bytes()
    flags = [f"--out={built / 'w.npz'}", f"--workdir={built / 'work'}"]
    assert build_weights.main([*flags, *SMALL]) == 2
    assert "--resume" in capsys.readouterr().err
    assert build_weights.main([*flags, *SMALL, "--resume"]) == 0
    assert (built / "w.npz").read_bytes() == before


def test_another_ending_is_refused_before_any_work(tmp_path, capsys):
    flags = [f"--out={tmp_path / 'w.zip'}", f"--workdir={tmp_path / 'work'}"]
    assert build_weights.main(flags) == 2
    assert "must be named .npz" in capsys.readouterr().err
    assert not (tmp_path / "work").exists()


def test_the_model_card_is_that_of_the_weights_in_the_package():
    card = read_card(SHIPPED)
    assert card["sha256"] in (ROOT / "docs" / "model_card.md").read_text()
    assert card["data"]["level"] == "untidy" and SHIPPED.stat().st_size < 1_500_000
    spotter = load_spotter()
    assert spotter.alignment == "posed" and spotter.judge is not None
