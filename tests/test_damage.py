"""What is kept between runs, with a bit turned or cut short: it is noticed, and done again."""

import shutil
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from damage import Count, damages, files_in
from made_spotters import untrained
from prepare_calls import add, call, csv_tree
from release_trees import head, write_images
from tiny_banks import write_bank
from video_files import encode, noise

from jaxspot.commands import spot
from jaxspot.experiment import baselines, manual_skips
from jaxspot.files import content_of
from jaxspot.own_video.done import HASHED, altered, describe_run, find_done
from jaxspot.spotting.saved_spotter import load_spotter, save_spotter
from jaxspot.training.folds import loso_folds
from jaxspot.video.bank import open_bank


def test_peers_spot_again(tmp_path, monkeypatch, capsys, tried):
    bank, calls = open_bank(write_bank(tmp_path / "bank")), []

    def peer(bank, **_):
        calls.append(1)
        scores = {video: np.full((60, 2), 0.5, np.float32) for video in bank.videos.video}
        return scores, bank.annotations.assign(score=0.5)

    monkeypatch.setattr(baselines, "PEERS", {"peer": peer})
    folds, settings = loso_folds(bank.videos.subject), SimpleNamespace(peers=("peer",), seed=0)

    def spotted():
        given: Any = settings
        pairs = [(1.0, 2.0)] * len(folds)
        return baselines.spot_by_peers(bank, folds, pairs, given, saved=tmp_path / "peers")["peer"]

    first, count, folder = spotted(), Count(), tmp_path / "peers" / "peer"
    spotted()
    assert len(calls) == 1
    for seed, name in enumerate(files_in(folder)):
        for kind in damages(folder / name, seed=seed, flips=2):
            before, again = len(calls), spotted()
            pd.testing.assert_frame_equal(again.intervals, first.intervals)
            count.add(kind, len(calls) == before + 1)
    assert count.all and "peers/peer: not whole; peer spots again" in capsys.readouterr().err
    tried.row("Damage", "intervals and scores of the peers of a run", *count.cells, "spotted again")


def test_frame_skips_are_searched_again(tmp_path, monkeypatch, tried):
    bank, calls = open_bank(write_bank(tmp_path / "bank")), []
    monkeypatch.setattr(manual_skips, "search_fold", lambda *_: (calls.append(1), (0.5, 2.0))[1])
    saved, weights = tmp_path / "skips.json", {"a": np.zeros((3, 2))}
    model, pairs = untrained().model, [(1.0, 2.0)] * 3
    options: Any = dict(frame_skip="manual", saved=saved, name="test")
    search = lambda: manual_skips.search_skips(
        bank, loso_folds(bank.videos.subject), model, weights, pairs, **options
    )
    first, count = search(), Count()
    assert search() == first and len(calls) == 3
    for kind in damages(saved, seed=0, flips=12, cuts=4):
        before = len(calls)
        assert search() == first
        count.add(kind, len(calls) == before + 3)
    assert count.all
    tried.row("Damage", "frame skips of a run", *count.cells, "searched again")


def test_videos_of_an_unfinished_bank_are_read_again(tmp_path, capfd, tried):
    source, out, count = csv_tree(tmp_path / "in"), tmp_path / "bank", Count()
    write_images(source / "w", head(1)[:4], "{}.png".format)
    (source / "y.mp4").write_bytes(b"")
    for row in ("p,w,w,30", "q,y,y.mp4,"):
        add(source / "videos.csv", row)
    assert call("csv", source, out) == 2
    files = [out / folder / f"{video}.npy" for folder in ("frames", "quality") for video in "vw"]
    files += [out / ".prepare" / "done" / "v.json"]
    whole = {path: path.read_bytes() for path in files}
    for seed, path in enumerate(files):
        for kind in damages(path, seed=seed):
            assert call("csv", source, out) == 2
            count.add(kind, {path: path.read_bytes() for path in files} == whole)
    assert count.all
    tried.row("Damage", "videos of a bank that is not finished", *count.cells, "read again")


@pytest.fixture(scope="module")
def spotted(tmp_path_factory):
    """A video, weights, and what `spot` made of them; returns the folder."""
    root = tmp_path_factory.mktemp("spotted")
    save_spotter(root / "run", untrained())
    encode(root / "a.mp4", noise(12))
    assert spot_in(root) == 0
    return root


def spot_in(root):
    words = [f"--weights={root / 'run'}", f"--out={root / 'out'}", "--workers=1"]
    return spot.main([*words, str(root / "a.mp4")])


def test_results_of_spot_are_said_to_be_altered(spotted, capsys, tried):
    folder, count = spotted / "out" / "a", Count()
    sha = load_spotter(spotted / "run").sha256()
    made = describe_run(content_of([spotted / "a.mp4"]), weights=sha, options={})
    made.pop("options")
    for seed, name in enumerate(HASHED):
        for kind in damages(folder / name, seed=seed, flips=3):
            count.add(kind, find_done(folder, made) is None or altered(folder) == [name])
    assert count.all and find_done(folder, made) is not None and altered(folder) == []
    tried.row("Damage", "results of `spot`", *count.cells, "said, or done again")
    with open(folder / "frames.csv", "a") as file:
        file.write("x\n")
    assert spot_in(spotted) == 0
    assert "frames.csv: altered since it was made; --again" in capsys.readouterr().out
    shutil.rmtree(folder)
