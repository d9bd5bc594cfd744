"""The check of fine-tuning on synthetic people: who is in which part, and its table."""

import runpy

import pandas as pd
import pytest
from tiny_banks import ROOT

from jaxspot.errors import UserError
from jaxspot.experiment import crossval
from jaxspot.experiment.finetuning_curve import draws, mean_of_draws, split_heads
from jaxspot.video.bank import open_bank

SMALL = ["--trained=3", "--people=1", "--tested=1", "--draws=1", "--seconds=8", "--videos=1"]
# With this seed, each of the three shows both kinds in its 8 seconds.
SMALL += ["--seed=23", "--epochs=1", "--steps=2", "--groups=3", "--config.training.epochs=1"]
SMALL += ["--config.training.steps=2", "--config.training.batch=4"]


def test_the_parts_share_nobody():
    split = split_heads(30, 10, 16, seed=1)
    everybody = [head for part in split for head in part]
    assert sorted(everybody) == list(range(1, 57)) and split != split_heads(30, 10, 16, seed=2)
    with pytest.raises(UserError, match="the heads are 56"):
        split_heads(30, 10, 17)
    with pytest.raises(UserError, match="each part needs one"):
        split_heads(30, 0, 16)


def test_draws_share_as_few_as_possible():
    people = tuple(range(10, 20))
    assert draws(people, 1, 3) == [(10,), (11,), (12,)]
    assert draws(people, 3, 3) == [(10, 11, 12), (13, 14, 15), (16, 17, 18)]
    assert draws(people, 10, 3) == [people]


def test_means_are_over_the_draws():
    rows = [(0, 0, 0.0, 0.2, 0.4, 0.3), (1, 0, 1.0, 0.3, 0.5, 0.4), (1, 1, 1.0, 0.5, 0.5, 0.5)]
    columns = ["people", "draw", "minutes", "ME", "MaE", "overall"]
    found = mean_of_draws(pd.DataFrame(rows, columns=columns))
    assert found.people.tolist() == [0, 1] and found.draws.tolist() == [1, 2]
    assert found.ME.round(9).tolist() == [0.2, 0.4]


@pytest.mark.slow
def test_a_small_check_runs_to_its_table_and_goes_on(tmp_path, monkeypatch, capsys):
    main = runpy.run_path(str(ROOT / "launch" / "check_finetuning.py"))["main"]
    out = tmp_path / "out"
    assert main([f"--out={out}", *SMALL]) == 0
    assert "overall" in capsys.readouterr().out
    table = pd.read_csv(out / "finetuning.csv")
    assert table.people.tolist() == [0, 1] and table[["ME", "MaE", "overall"]].to_numpy().min() >= 0
    banks = {path.name: open_bank(path) for path in (out / "banks").iterdir()}
    people = [set(bank.videos.subject) for bank in banks.values()]
    people.append(set(open_bank(out / "work" / "base" / "bank").videos.subject))
    assert len(set.union(*people)) == sum(map(len, people)) == 5
    (out / "finetuning.csv").unlink()
    monkeypatch.setattr(crossval, "train_loso", None)  # nothing is trained again
    assert main([f"--out={out}", *SMALL]) == 0
    assert pd.read_csv(out / "finetuning.csv").equals(table)
