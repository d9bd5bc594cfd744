"""`jaxspot spot`, killed wherever it is and begun again, leaves what an undisturbed one leaves."""

import dataclasses
import random
import shutil
import time

import pytest
from killed import KILLED, begin_command, kill_at_change, note_changes
from made_spotters import untrained
from two_heads import two_heads
from video_files import encode

from jaxspot.spotting.spotter import save_spotter

MOMENTS = 10


@pytest.fixture(scope="module")
def words(tmp_path_factory):
    """Two short videos and weights, as words of the command."""
    folder = tmp_path_factory.mktemp("spot")
    save_spotter(folder / "run", dataclasses.replace(untrained(), alignment="posed"))
    places = [((150.0 + 0.5 * number, 40.0),) for number in range(12)]
    (folder / "in").mkdir()
    encode(folder / "in" / "a.mp4", two_heads(places))
    shutil.copy(folder / "in" / "a.mp4", folder / "in" / "b.mp4")
    return [f"--weights={folder / 'run'}", str(folder / "in")]


def spot(words, out, prepare=None, *, workers=1):
    log = out.with_suffix(".log")
    flags = [f"--out={out}", f"--workers={workers}", *words]
    return begin_command("spot", flags, log, prepare=prepare)


def ended(process):
    process.join()
    return process.exitcode


def results(folder):
    """Path -> bytes of all files."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(files)}


@pytest.mark.slow
def test_killed_at_ten_moments_it_leaves_nothing_else(words, tmp_path):
    whole, out, changes = tmp_path / "whole", tmp_path / "out", tmp_path / "changes"
    assert ended(spot(words, whole, (note_changes, whole, changes))) == 0
    moments = changes.read_text().splitlines()
    assert len(moments) > 30
    for moment in sorted(random.Random(0).sample(range(len(moments)), MOMENTS)):
        process = spot(words, out, (kill_at_change, out, moments[moment]))
        assert ended(process) == KILLED, moments[moment]
    assert ended(spot(words, out)) == 0, out.with_suffix(".log").read_text()
    assert results(out) == results(whole)


@pytest.mark.slow
def test_workers_end_with_a_command_that_is_killed(words, tmp_path):
    out = tmp_path / "out"
    process = spot(words, out, workers=2)
    limit = time.monotonic() + 120
    while not list(out.glob(".*.faces.part/landmarks")) and time.monotonic() < limit:
        time.sleep(0.02)
    process.kill()
    assert ended(process) == KILLED
    assert ended(spot(words, out, workers=2)) == 0, out.with_suffix(".log").read_text()
    assert sorted(path.name for path in out.iterdir()) == ["a", "b"]
