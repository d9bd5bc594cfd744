"""Banks of posed crops, and spotters that remember how the faces of their training were aligned."""

import json
import shutil
from pathlib import Path

import jax
import numpy as np
import pytest
from prepare_calls import call, csv_tree
from release_trees import head, write_images
from tiny_banks import said, write_bank

from jaxspot.commands import doctor
from jaxspot.datasets.images import image_frames, number_images
from jaxspot.experiment import run
from jaxspot.network.model import build_model
from jaxspot.own_video import reading
from jaxspot.own_video.inputs import Video
from jaxspot.own_video.one import Job, Options, run_job
from jaxspot.own_video.reading import Progress
from jaxspot.spotting.automated_iou import FittedRule, IntervalRule
from jaxspot.spotting.spotter import Spotter
from jaxspot.video.bank import open_bank
from jaxspot.video.clip import posed_frames
from jaxspot.video.landmarker import load_landmarker
from jaxspot.video.source import Source
from jaxspot.workers import Pool

RULE = FittedRule(IntervalRule(), *[(0.0, 0.0)] * 2, *[(2.0, 2.0)] * 2)


@pytest.fixture(scope="module")
def posed_spotter():
    model = build_model(widths=(2, 3, 4), multiplier=2)
    shapes = jax.eval_shape(
        lambda: model.init(jax.random.key(0), np.zeros((1, 3, 112, 112)), train=False)
    )
    variables = jax.tree.map(lambda leaf: np.zeros((1, *leaf.shape), np.float32), shapes)
    return Spotter(model, variables, ((0.2, 0.6),), (RULE,), "posed")


def test_prepare_writes_posed_crops(tmp_path, capsys):
    csv_tree(tmp_path / "in")
    shutil.rmtree(tmp_path / "in" / "v")
    images = head(0)[:8]
    write_images(tmp_path / "in" / "v", images, "{}.png".format)
    (tmp_path / "in" / "v" / "3.png").write_bytes(b"")
    assert call("csv", tmp_path / "in", tmp_path / "bank", "--align=posed") == 0
    bank = open_bank(tmp_path / "bank", verify=True)
    assert bank.alignment == "posed" and bank.meta["alignment"]["kind"] == "posed112"
    read = lambda: image_frames(number_images(tmp_path / "in" / "v"), 30.0)
    by_hand = list(posed_frames(read, load_landmarker()))
    np.testing.assert_array_equal(bank.frames("v"), [frame.image for frame in by_hand])
    assert bank.faces("v").tolist() == [n != 2 for n in range(8)]
    details = bank.meta["source"]["videos"]["v"]
    assert details["unreadable"] == "3" and details["stays"] == 1 and details["jitter_px"]
    capsys.readouterr()
    assert doctor.main([f"--bank={tmp_path / 'bank'}"]) in (0, 1)
    assert "posed: every face is turned to the front" in capsys.readouterr().out


def test_other_banks_hold_similarity_crops(tmp_path):
    csv_tree(tmp_path / "in")
    assert call("csv", tmp_path / "in", tmp_path / "bank", "--align=similarity") == 0
    bank = open_bank(tmp_path / "bank")
    assert bank.alignment == "similarity"
    assert list(bank.meta["alignment"]) == ["kind", "landmarks", "prefer", "smooth"]
    assert bank.meta["alignment"]["kind"] == "openface112"
    assert open_bank(write_bank(tmp_path / "tiny")).alignment == "similarity"


@pytest.mark.parametrize("dry", [False, True])
def test_faces_that_are_aligned_already_and_motion_are_refused(tmp_path, capfd, dry):
    write_images(tmp_path / "of" / "x_aligned", head(0)[:2], "frame_det_00_{:06d}.bmp".format)
    (tmp_path / "of" / "x.csv").write_text(
        "frame, timestamp, confidence, success\n1, 0, 0.8, 1\n2, 0.04, 0.8, 1\n"
    )
    csv_tree(tmp_path / "in")
    write_bank(tmp_path / "tiny")
    flags = ["--align=posed", *(["--dry-run"] if dry else [])]
    for dataset, source, more, says in (
        ("openface", "of", [], "faces are aligned already"),
        ("csv", "in", ["--motion"], "region motion has no crops"),
        ("bank", "tiny", [], "region motion has no crops"),
    ):
        assert call(dataset, tmp_path / source, tmp_path / "bank", *flags, *more) == 2
        assert says in said(capfd, "prepare")
        assert not (tmp_path / "bank").exists()


@pytest.mark.parametrize(("alignment", "kind"), [("similarity", "aligned"), ("posed", "posed")])
def test_videos_are_read_as_the_spotter_was_trained(
    posed_spotter, tmp_path, monkeypatch, alignment, kind
):
    class Read(Exception):
        pass

    def read(kind):
        raise Read(kind)

    spotter = Spotter(**vars(posed_spotter) | dict(alignment=alignment))
    monkeypatch.setattr(reading, "aligned_clip", lambda *_, **__: read("aligned"))
    monkeypatch.setattr(reading, "read_posed", lambda *_: read("posed"))
    job = Job(
        Video(tmp_path / "v.mp4", "v"), *[tmp_path / n for n in "abc"], Options(), {}, False, None
    )
    monkeypatch.setattr(reading, "open_video", lambda *_, **__: Source(Path("v"), 2, list))
    with pytest.raises(Read, match=kind):
        run_job(job._replace(progress=Progress(tmp_path / "counts", 0)), spotter, Pool())


@pytest.mark.parametrize("kind", ["openface112", "posed112"])
def test_a_run_tells_its_spotter_how_its_bank_is_aligned(tmp_path, monkeypatch, kind):
    class Saved(Exception):
        pass

    class Trained:
        folds, variables, k_seconds = (), {}, ()

        class held_out:
            intervals, rules = None, {}

        held_out_scores = staticmethod(lambda bank: {})

    def keep(folder, spotter):
        raise Saved(spotter.alignment)

    root = write_bank(tmp_path / "bank")
    meta = json.loads((root / "bank.json").read_text())
    meta["alignment"]["kind"] = kind
    (root / "bank.json").write_text(json.dumps(meta))
    for name in ("write_scores", "write_table", "run_networks"):
        monkeypatch.setattr(run, name, lambda *arguments: None)
    monkeypatch.setattr(run, "cross_validate", lambda *arguments: Trained)
    monkeypatch.setattr(run, "save_spotter", keep)
    settings = type("Settings", (), {"model": build_model(widths=(2, 3, 4), multiplier=2)})
    with pytest.raises(Saved, match={"posed112": "posed"}.get(kind, "similarity")):
        run.run_one(open_bank(root), settings, tmp_path, tmp_path, tmp_path, lambda: None)
