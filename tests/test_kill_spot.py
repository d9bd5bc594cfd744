"""`jaxspot spot`, killed wherever it is and begun again, leaves what an undisturbed one leaves."""

import dataclasses
import shutil
import time

import pytest
from killed import KILLED, begin_command, ended, kill_at_random
from made_spotters import untrained
from two_heads import two_heads
from video_files import encode

from jaxspot.spotting.saved_spotter import save_spotter

MOMENTS = 6


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


def results(folder):
    """Path -> bytes of all files."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(files)}


@pytest.mark.slow
def test_killed_at_random_moments_it_leaves_nothing_else(words, tmp_path, tried):
    whole, out = tmp_path / "whole", tmp_path / "out"
    kill_at_random(lambda *given: spot(words, *given), whole, out, count=MOMENTS)
    assert results(out) == results(whole)
    tried.row("Kills", "`spot`", MOMENTS, "at random", "the same bytes")


@pytest.mark.slow
def test_workers_end_with_a_command_that_is_killed(words, tmp_path, tried):
    out = tmp_path / "out"
    process = spot(words, out, workers=2)
    limit = time.monotonic() + 120
    while not list(out.glob(".*.faces.part/landmarks")) and time.monotonic() < limit:
        time.sleep(0.02)
    process.kill()
    assert ended(process) == KILLED
    assert ended(spot(words, out, workers=2)) == 0, out.with_suffix(".log").read_text()
    assert sorted(path.name for path in out.iterdir()) == ["a", "b"]
    tried.row("Kills", "`spot --workers=2`", 1, "workers at work", "all files, none half written")
