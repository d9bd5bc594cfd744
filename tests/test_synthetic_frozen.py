import base64
import hashlib
from dataclasses import replace

import numpy as np
import pytest

from configs.synthetic import CHOICES, FIGURES, benchmarks, get_config
from jaxspot.errors import UserError
from jaxspot.synthetic import frozen
from jaxspot.synthetic.difficulty import LEVELS
from jaxspot.synthetic.frozen import difference, fingerprint, read_frozen, sampled_frame
from jaxspot.synthetic.generate import synthesise_video
from jaxspot.synthetic.heads import load_heads

DEMO_PEOPLE = "6b9fcc0ec9a4fa62026e6df2856925a70843987cf09ba711519a55b96cdb85f1"
SMALL = get_config("benchmark").data.synthetic.to_dict() | dict(
    subjects=3, seconds=10.0, me_per_minute=24.0
)


def test_the_benchmark_is_still_the_frozen_one():
    scenes, kept = benchmarks(), read_frozen()
    assert sorted(scenes) == sorted(kept)
    changed = {name: difference(kept[name], fingerprint(scene)) for name, scene in scenes.items()}
    assert not any(changed.values()), (
        f"{changed}: the generator makes other data now. If that is meant, freeze the benchmark"
        " anew (launch/freeze_benchmark.py --write) and run every method on it again."
    )


def test_the_demos_people_are_those_of_the_first_heads_file():
    digest = hashlib.sha256(b"".join(frozen.hash_person(number) for number in range(36)))
    assert digest.hexdigest() == DEMO_PEOPLE


def test_nobody_of_the_benchmark_was_tuned_on_and_every_level_has_them():
    assert not set(FIGURES) & set(CHOICES) and not set(FIGURES) & set(range(1, 13))
    assert max(FIGURES) == len(load_heads())
    for name, scene in benchmarks().items():
        assert (scene["subjects"], scene["people"]) == (24, FIGURES), name
    banks = {(scene["level"], scene["fps"]) for scene in benchmarks().values()}
    levels = set(LEVELS) - {"untidy"}  # it may still change
    assert banks == {(level, fps) for level in levels for fps in (30.0, 200.0)}
    few = get_config("uneven,ablation,benchmark,best").data.synthetic
    assert (few.subjects, few.people, few.level) == (12, FIGURES, "uneven")
    chosen = get_config("benchmark,choices,fps200").data.synthetic
    assert (chosen.people, chosen.subjects, chosen.fps) == (CHOICES, 20, 200.0)
    with pytest.raises(UserError, match="go with benchmark"):
        get_config("ablation")


def test_a_fingerprint_keeps_pixels_of_the_frames_that_the_bank_holds():
    pixels = np.frombuffer(base64.b64decode(fingerprint(SMALL)["pixels"]), np.uint8)
    video = {k: SMALL[k] for k in ("fps", "seconds", "me_per_minute", "mae_per_minute", "seed")}
    found = []
    for i, number in enumerate(FIGURES[:3]):
        frames, _ = synthesise_video(subject=number - 1, **video)
        frame = frames[sampled_frame(i, 3, 300)].ravel()
        found += [frame[(j + i) * frozen.STRIDE % 12544] for j in range(frozen.PIXELS)]
    assert np.abs(np.array(found, int) - pixels).mean() < frozen.TOLERANCE / 5


@pytest.mark.parametrize("change", [dict(seed=2), dict(seconds=10.5), dict(people=(5, 6, 7))])
def test_another_scene_is_noticed(change):
    assert "not the frozen ones" in difference(fingerprint(SMALL), fingerprint(SMALL | change))


@pytest.mark.parametrize(
    ("setting", "value", "message"),
    [
        ("noise", 1.1, "gray levels"),
        ("quality", 93, "gray levels"),
        ("gaze", 10.0, "what moves"),
        ("jitter", 0.0301, "what moves"),
    ],
)
def test_frames_made_otherwise_are_noticed(monkeypatch, setting, value, message):
    before = fingerprint(SMALL)
    monkeypatch.setattr(frozen, "describe", lambda scene: before["sha256"])
    same = fingerprint(SMALL)
    changed = replace(LEVELS["default"], **{setting: value})
    other = fingerprint(SMALL | dict(level=changed))
    assert same["sha256"] == other["sha256"]
    assert message in difference(same, other)


def test_a_pixel_rounded_otherwise_is_no_change():
    before = fingerprint(SMALL)
    pixels = np.frombuffer(base64.b64decode(before["pixels"]), np.uint8).copy()
    pixels[50] ^= 7
    kept = dict(before, pixels=base64.b64encode(pixels.tobytes()).decode())
    assert difference(before, kept) == ""
    pixels[::2] ^= 1
    kept = dict(before, pixels=base64.b64encode(pixels.tobytes()).decode())
    assert "gray levels" in difference(before, kept)
