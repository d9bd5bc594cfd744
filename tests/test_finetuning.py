"""Fine-tuning on few people: which networks there are, what stays of the start, what is refused."""

import dataclasses
import json

import jax
import numpy as np
import pytest
from made_tuning import JUDGE, tuning_places, tuning_words
from tiny_banks import rewrite, said, write_bank

from jaxspot.commands import build_weights
from jaxspot.configs import load_config
from jaxspot.experiment import finetuning
from jaxspot.experiment.finetuning import toward_start, tuning_networks
from jaxspot.experiment.settings import read_settings
from jaxspot.network.model import model_fields
from jaxspot.spotting.saved_spotter import load_spotter, save_shipped
from jaxspot.training.folds import Fold
from jaxspot.training.inner_folds import Networks
from jaxspot.video.bank import open_bank


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    """Two networks with a judge, and banks of one and of four people."""
    return tuning_places(tmp_path_factory.mktemp("tuning"))


def tune(places, bank, out, *more):
    """Runs the command at the smallest size; returns its exit code."""
    return build_weights.main([*tuning_words(places, bank, out), *more])


def moved(before, after):
    """The largest change of each leaf."""
    change = lambda a, b: float(np.abs(np.asarray(a) - np.asarray(b)).max())
    return jax.tree.leaves(jax.tree.map(change, before.variables, after.variables))


def test_one_person_moves_the_networks_and_nothing_else(places, tmp_path, capsys):
    assert tune(places, "one", tmp_path) == 0
    assert "nobody is left out of 1; chances are as before" in capsys.readouterr().out
    start, found = load_spotter(places / "start"), load_spotter(tmp_path / "w.npz")
    for name in ("model", "k_seconds", "rules", "alignment", "judge"):
        assert getattr(found, name) == getattr(start, name), name
    assert 0 < max(moved(start, found)) < 0.01
    card = json.loads((tmp_path / "card.json").read_text())
    assert card["data"]["people"] == 1 and "f1" not in card and card["f1_before"].keys() >= {"ME"}
    assert "s1" not in (tmp_path / "card.json").read_text().replace("s1_", "")


def test_work_that_was_begun_from_other_weights_does_not_go_on(places, tmp_path, capfd):
    """The start, as a file, is tuned further; a second start of its name is another one."""
    start = load_spotter(places / "start")
    file = tmp_path / "start" / "s.npz"
    save_shipped(file, start, {})
    begun = f"--config.start={file}"
    assert tune(places, "one", tmp_path, begun) == 0
    provenance = json.loads((tmp_path / "work" / "provenance.json").read_text())
    card = json.loads((tmp_path / "card.json").read_text())["start"]
    assert provenance["start"] == {card["weights"]: card["variables_sha256"]}
    before = (tmp_path / "w.npz").read_bytes()
    assert tune(places, "one", tmp_path, begun, "--resume") == 0
    other = jax.tree.map(lambda leaf: leaf * np.float32(1.5), dict(start.variables))
    save_shipped(file, dataclasses.replace(start, variables=other), {})
    capfd.readouterr()
    assert tune(places, "one", tmp_path, begun, "--resume") == 2
    assert f"was begun from weights in {file} that have changed" in said(capfd, "build_weights")
    assert (tmp_path / "w.npz").read_bytes() == before


def test_a_start_that_was_tuned_on_the_bank_is_told(places, tmp_path, capfd):
    """Its F1 before is of people whom it has seen, and that of a second bank is not."""
    for name in ("first", "second", "other"):
        (tmp_path / name).mkdir()
    assert tune(places, "one", tmp_path / "first") == 0
    assert "on your 1 people before: " in capfd.readouterr().out
    started = f"--config.start={tmp_path / 'first' / 'w.npz'}"
    assert tune(places, "one", tmp_path / "second", started) == 0
    line = "F1 on your 1 people before (the start was trained on this bank): "
    assert line in capfd.readouterr().out
    assert tune(places, "four", tmp_path / "other", started) == 0
    assert "on your 4 people before: " in capfd.readouterr().out


@pytest.mark.parametrize("link", [False, True])
def test_the_start_is_not_written_over(link, places, tmp_path, capfd):
    save_shipped(tmp_path / "w.npz", load_spotter(places / "start"), {})
    start = tmp_path / "other.npz" if link else tmp_path / "." / "w.npz"
    if link:
        start.symlink_to(tmp_path / "w.npz")
    assert tune(places, "one", tmp_path, f"--config.start={start}") == 2
    assert "is the file of --config.start; name another --out" in said(capfd, "build_weights")
    assert not (tmp_path / "work").exists()


@pytest.fixture
def few_suffice(monkeypatch):
    monkeypatch.setattr(finetuning, "LEAST_PEOPLE", 3)


def test_with_fewer_than_ten_people_nobody_is_left_out(places):
    start = load_spotter(places / "start")
    few = tuning_networks(open_bank(places / "four"), start, groups=3, networks=2)
    assert len(few.folds) == 2 and few.of_subject("s1") == []


def test_the_start_counts_as_some_people(places):
    """Against the mean of one start and n ends: (prior * start + n * end) / (prior + n)."""
    start = load_spotter(places / "start")
    training = [tuple("abc"), tuple("abc"), tuple("ab"), tuple("a")]
    networks = Networks(tuple(Fold(f"{i}", names) for i, names in enumerate(training)), (), ())
    ends = jax.tree.map(
        lambda leaf: np.random.default_rng(leaf.size).normal(size=(4, *leaf.shape[1:])),
        start.variables,
    )
    found = toward_start(ends, start, networks, prior=3.0)

    def check(leaf, end, began):
        for number, names in enumerate(training):
            mean = (3 * began[number % 2] + len(names) * end[number]) / (3 + len(names))
            np.testing.assert_allclose(leaf[number], mean, atol=1e-6)

    jax.tree.map(check, found, ends, dict(start.variables))
    whole = toward_start(ends, start, networks, prior=0.0)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-6), whole, ends)


def test_with_more_people_those_left_out_are_scored(places, tmp_path, capsys, few_suffice):
    assert tune(places, "four", tmp_path) == 0
    assert "F1 on people left out: MaE" in capsys.readouterr().out
    found = load_spotter(tmp_path / "w.npz")
    assert len(found.rules) == 2 and found.judge is not None
    assert found.judge.weights == JUDGE.weights
    card = json.loads((tmp_path / "card.json").read_text())
    assert card["fitted"] == "on people left out" and card["networks"] == 2
    assert (tmp_path / "work" / "candidates.csv").is_file()
    before = (tmp_path / "w.npz").read_bytes()
    assert tune(places, "four", tmp_path, "--resume") == 0
    assert (tmp_path / "w.npz").read_bytes() == before


def test_nobody_is_scored_by_a_network_that_trained_on_them(places, few_suffice):
    bank, start = open_bank(places / "four"), load_spotter(places / "start")
    networks = tuning_networks(bank, start, groups=3, networks=2)
    people = set(bank.videos.subject)
    assert [set(fold.training) for fold in networks.folds[:2]] == [people, people]
    assert len(networks.folds) == 2 + 3 * 2
    for person in people:
        numbers = networks.of_subject(person)
        assert len(numbers) == 2 and min(numbers) >= 2
        assert all(person not in networks.folds[number].training for number in numbers)
    assert len({fold.held_out for fold in networks.folds}) == 8
    few = tuning_networks(open_bank(places / "one"), start, groups=3, networks=2)
    assert len(few.folds) == 2 and few.of_subject("s1") == []


def test_the_config_fits_the_weights_that_ship():
    settings, shipped = read_settings(load_config("reviewed")), load_spotter()
    assert settings.start == "shipped"
    assert model_fields(settings.model) == model_fields(shipped.model)


def test_what_cannot_be_tuned_is_refused_before_anything_is_written(places, tmp_path, capfd):
    def refused(bank, *more, says):
        assert tune(places, bank, tmp_path, *more) == 2
        assert says in said(capfd, "build_weights")
        assert not (tmp_path / "work").exists()

    refused("four", "--config.start=", says="--config.start is empty")
    refused("four", "--config.start=shipped", says="its network has")
    refused("four", "--config.training.patience=2", says="patience must be 0")
    refused("four", "--config.finetuning.groups=2", says="groups must be 3 or more")
    refused("four", "--config.finetuning.start_people=-1", says="start_people must be 0 or more")
    refused("four", "--card=page.md", says="--card describes the weights that come with jaxspot")
    (tmp_path / "card.json").write_text("{}")
    refused("four", says="is the card of other weights")
    (tmp_path / "card.json").unlink()
    bare = write_bank(tmp_path / "bare", subjects=1, unlabelled=1)
    refused(bare, says="holds no label; accept or add intervals")
    rewrite(bare, alignment=dict(kind="posed112"))
    refused(bare, says="its faces are aligned by 'posed'")
