"""Who may work in a run's folder, and with what."""

import json
import os
import signal
import threading
import time

import pytest
from ml_collections import ConfigDict

from jaxspot.errors import Interrupted, UserError
from jaxspot.experiment.provenance import write_provenance
from jaxspot.experiment.run import stop_when_saved
from jaxspot.experiment.workdir import claim_workdir, remove_run


def config(**changes):
    values = dict(seed=0, data=dict(bank="a"), model=dict(widths=(4, 8), dropout=0.1))
    config = ConfigDict(values)
    config.update_from_flattened_dict(changes)
    return config


def begin(folder, **changes):
    with claim_workdir(folder, config(**changes), resume=False):
        (folder / "kept.txt").write_text("work")
        (folder / "provenance.json").write_text("{}")


def refusal(folder, *, resume=True, **changes):
    with (
        pytest.raises(UserError) as error,
        claim_workdir(folder, config(**changes), resume=resume),
    ):
        pytest.fail("the folder was given out")
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_new_folder_holds_its_settings_at_once(tmp_path):
    with claim_workdir(tmp_path / "new" / "run", config(), resume=False):
        saved = json.loads((tmp_path / "new" / "run" / "config.json").read_text())
    assert saved == dict(seed=0, data=dict(bank="a"), model=dict(widths=[4, 8], dropout=0.1))


def test_resuming_where_nothing_is_begins(tmp_path):
    with claim_workdir(tmp_path / "run", config(), resume=True):
        assert (tmp_path / "run" / "config.json").exists()


def test_a_run_that_ended_before_its_bank_was_known_may_start_again(tmp_path):
    with pytest.raises(ZeroDivisionError), claim_workdir(tmp_path, config(), resume=False):
        (tmp_path / "bank").mkdir()
        _ = 1 / 0
    with claim_workdir(tmp_path, config(seed=3), resume=False):
        assert json.loads((tmp_path / "config.json").read_text())["seed"] == 3


def test_a_run_goes_on_only_when_asked(tmp_path):
    begin(tmp_path / "run")
    assert "--resume" in refusal(tmp_path / "run", resume=False)
    with claim_workdir(tmp_path / "run", config(), resume=True):
        assert (tmp_path / "run" / "kept.txt").read_text() == "work"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"model.dropout": 0.2}, "model.dropout = 0.1, now it is 0.2"),
        ({"seed": 1}, "seed = 0, now it is 1"),
        ({"model.widths": (4, 9)}, "model.widths = [4, 8], now it is [4, 9]"),
    ],
)
def test_other_settings_are_refused_by_name(tmp_path, change, said):
    begin(tmp_path / "run")
    before = (tmp_path / "run" / "config.json").read_bytes()
    assert said in refusal(tmp_path / "run", **change)
    assert (tmp_path / "run" / "config.json").read_bytes() == before


def test_a_bank_may_move_but_not_change(tmp_path):
    begin(tmp_path / "run")
    with claim_workdir(tmp_path / "run", config(**{"data.bank": "b"}), resume=True):
        pass
    path = tmp_path / "other" / "provenance.json"
    write_provenance(path, {"bank": {"sha256": "1" * 64}, "python": "3.11"})
    write_provenance(path, {"bank": {"sha256": "1" * 64}, "python": "3.12"})
    assert json.loads(path.read_text())["resumed"] == [{"python": "3.12"}]
    before = path.read_bytes()
    with pytest.raises(UserError, match=r"sha256 111111111111, this one has 222222222222"):
        write_provenance(path, {"bank": {"sha256": "2" * 64}})
    assert path.read_bytes() == before


def test_two_runs_at_once_are_refused(tmp_path):
    with claim_workdir(tmp_path / "run", config(), resume=False):
        for resume in (True, False):
            assert "another run is at work" in refusal(tmp_path / "run", resume=resume)
        with pytest.raises(UserError, match="another run is at work"):
            remove_run(tmp_path / "run")
    with claim_workdir(tmp_path / "run", config(), resume=True):
        pass


def test_what_a_killed_run_was_writing_goes(tmp_path):
    begin(tmp_path / "run")
    (tmp_path / "run" / "scores").mkdir()
    (tmp_path / "run" / "scores" / ".v.npz.123.part").write_text("half")
    (tmp_path / "run" / ".bank.123.part" / "frames").mkdir(parents=True)
    with claim_workdir(tmp_path / "run", config(), resume=True):
        assert not list((tmp_path / "run").rglob("*.part"))


def test_a_damaged_config_is_refused(tmp_path):
    begin(tmp_path / "run")
    (tmp_path / "run" / "config.json").write_text("{")
    assert "config.json: not readable" in refusal(tmp_path / "run")


def press(number, after):
    threading.Timer(after, os.kill, (os.getpid(), number)).start()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_waits_until_work_is_saved(number, capfd):
    before = signal.getsignal(number)
    steps = []
    with pytest.raises(Interrupted, match="--resume") as error, stop_when_saved() as stop_here:
        press(number, 0.05)
        for step in range(100):
            time.sleep(0.02)
            steps.append(step)
            if step == 20:
                stop_here()
    assert steps == list(range(21)) and error.value.exit_code == 130
    assert "again to stop now" in capfd.readouterr().err
    assert signal.getsignal(number) is before


def test_a_second_signal_stops_at_once():
    begin = time.monotonic()
    with pytest.raises(KeyboardInterrupt), stop_when_saved():
        press(signal.SIGINT, 0.05)
        press(signal.SIGINT, 0.15)
        time.sleep(10)
    assert time.monotonic() - begin < 5


def test_without_a_signal_nothing_stops():
    with stop_when_saved() as stop_here:
        stop_here()
    result = []

    def elsewhere():
        with stop_when_saved() as stop_here:
            stop_here()
            result.append("done")

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert result == ["done"]
