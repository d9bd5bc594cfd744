"""Sweeps and fine-tuning, killed at any moment and resumed, end as undisturbed ones do."""

import jax
import pytest
from killed import begin_command, kill_at_random
from made_tuning import tuning_places, tuning_words
from tiny_banks import write_bank

SWEEP = [
    "--config=configs/default.py:best",
    "--config.model.widths=(4,4,4)",
    "--config.model.multiplier=2",
    "--config.training.epochs=2",
    "--config.training.steps=2",
    "--config.training.batch=4",
    "--config.control.folds=0",
    "--config.protocol.fit=training",
    "--config.peers=('moilanen',)",
    "--config.seeds=(0,1)",
]
SWEEP_KILLS, TUNING_KILLS = 3, 3


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    """A folder of compiled programs, so that each is compiled once for all runs."""
    return f"{tmp_path_factory.mktemp('programs')}"


def begin(programs, act):
    jax.config.update("jax_compilation_cache_dir", programs)
    if act:
        function, *arguments = act
        function(*arguments)


def starter(name, words, programs):
    """Begins a command in a folder; `words` gives its words for that folder."""
    return lambda folder, act: begin_command(
        name,
        [*words(folder), "--resume"],
        folder.with_suffix(".log"),
        prepare=(begin, programs, act),
    )


def contents(folder, *patterns):
    """Path -> bytes of what was found out; provenance tells of the resuming."""
    paths = sorted({path for pattern in patterns for path in folder.rglob(pattern)})
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


@pytest.mark.slow
def test_a_sweep_ends_the_same(programs, tmp_path, tried):
    bank = write_bank(tmp_path / "bank")
    words = lambda folder: [*SWEEP, f"--config.data.bank={bank}", f"--out={folder}"]
    whole, run = tmp_path / "whole", tmp_path / "run"
    kill_at_random(starter("train", words, programs), whole, run, count=SWEEP_KILLS)
    kept = ("metrics.jsonl", "intervals.csv", "*.npz", "table?.csv", "seeds.csv", "differences.csv")
    found, expected = (contents(folder, *kept) for folder in (run, whole))
    assert found == expected and len(found) > 20
    assert not list(run.rglob("*.part"))
    tried.row("Kills", "a sweep, `train` of two seeds", SWEEP_KILLS, "at random", "the same bytes")


@pytest.mark.slow
def test_fine_tuning_ends_the_same(programs, tmp_path, tried):
    places = tuning_places(tmp_path)
    words = lambda folder: tuning_words(places, "one", folder)
    whole, run = tmp_path / "whole", tmp_path / "run"
    kill_at_random(starter("build_weights", words, programs), whole, run, count=TUNING_KILLS)
    found, expected = (contents(folder, "w.npz", "card.json", "*.csv") for folder in (run, whole))
    assert found == expected and found.keys() >= {"w.npz", "card.json"}
    assert not list(run.rglob("*.part"))
    tried.row("Kills", "fine-tuning, `build_weights`", TUNING_KILLS, "at random", "the same bytes")
