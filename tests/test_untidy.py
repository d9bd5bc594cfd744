from dataclasses import asdict, replace

import cv2
import numpy as np
import pytest

from jaxspot.errors import UserError
from jaxspot.synthetic import untidy
from jaxspot.synthetic.camera import Camera, Passing, cover, film, through_codec
from jaxspot.synthetic.depth import head_depths
from jaxspot.synthetic.difficulty import (
    LEVELS,
    WITHOUT,
    Difficulty,
    Untidy,
    difficulty_from,
    without,
)
from jaxspot.synthetic.events import Event, seen_events
from jaxspot.synthetic.generate import plan_video, render_plan, synthesise_video, synthetic_bank
from jaxspot.synthetic.heads import CANVAS, load_heads
from jaxspot.synthetic.motion import Clock
from jaxspot.synthetic.render import MARGIN, Turns, render
from jaxspot.video.landmarker import load_landmarker
from jaxspot.video.mesh import SKIN_POINTS, Region, fit_mesh, region_of_mesh

LEVEL = LEVELS["untidy"]
SHORT = dict(seconds=6.0, mae_per_minute=10.0, me_per_minute=10.0, level="untidy")


def clock(seconds=40.0, fps=30.0):
    return Clock(seconds, np.arange(round(seconds * fps)) / fps)


def still_picture(person, turns):
    """The picture of a person at rest, turned; nothing else moves."""
    plan = plan_video(seconds=6.0, mae_per_minute=0, me_per_minute=0, level="easy")
    course = plan.course.at([0])
    zero, one = np.zeros(1), np.ones(1)
    still = {name: zero for name in vars(course)} | dict(zoom=one, gain=one)
    return render(
        person,
        np.zeros((1, len(person.units))),
        replace(course, **still),
        turns=turns,
        noise=np.zeros((1, CANVAS, CANVAS), np.float32),
        places=np.zeros((1, 3), int),
        contrast=1.0,
        quality=100,
    )[0]


@pytest.mark.parametrize("number", [0, 20, 55])
def test_the_depth_agrees_with_that_of_the_face_mesh(number):
    """The mesh is another model, fitted to the picture; both say how near a point is."""
    picture = load_heads().neutral[number]
    image = np.repeat(picture[..., None], 3, axis=2)
    landmarker = load_landmarker()
    mesh = fit_mesh(landmarker, image, Region(CANVAS / 2, CANVAS / 2, 1.3 * CANVAS, 0.0))
    mesh = fit_mesh(landmarker, image, region_of_mesh(mesh.landmarks))
    x, y = mesh.landmarks[:SKIN_POINTS].T / 3 - 1 / 3
    ours = cv2.remap(head_depths()[number], x[:, None], y[:, None], cv2.INTER_LINEAR)[:, 0]
    theirs = -mesh.depth[:SKIN_POINTS]  # smaller is nearer there
    assert np.corrcoef(ours, theirs)[0, 1] > 0.85
    slope = np.polyfit(theirs, ours, 1)[0]
    assert 0.6 < slope < 1.6, "both in pixels of the picture"


def test_a_turn_moves_the_nose_against_the_rim_by_its_depth():
    person, depth, angle = load_heads().person(3), head_depths()[3], np.radians(4)
    turns = lambda yaw: Turns(untidy._fields(depth), np.array([[np.sin(yaw), 0.0]]))
    before, after = (still_picture(person, turns(yaw)) for yaw in (0.0, angle))
    flow = cv2.calcOpticalFlowFarneback(
        before,
        after,
        None,  # pyright: ignore[reportArgumentType, reportCallIssue]
        0.5,
        3,
        13,
        5,
        7,
        1.5,
        0,
    )
    at = lambda x, y: flow[y - 3 : y + 4, x - 3 : x + 4, 0].mean()
    nose, cheek = at(56, 55), at(26, 66)
    expected = lambda x, y: depth[round((y + MARGIN) / 3), round((x + MARGIN) / 3)] * np.sin(angle)
    assert nose - cheek == pytest.approx(expected(56, 55) - expected(26, 66), rel=0.35)
    assert nose > 0.5 and cheek < nose / 2


def test_the_same_seed_gives_the_same_video_at_any_frame_rate():
    frames, _ = synthesise_video(**SHORT)
    again, _ = synthesise_video(**SHORT)
    np.testing.assert_array_equal(frames, again)
    assert frames.shape == (180, 112, 112) and frames.dtype == np.uint8
    slow, fast = (plan_video(fps=fps, **SHORT) for fps in (30.0, 60.0))
    np.testing.assert_allclose(slow.weights, fast.weights[::2], atol=0.02)
    np.testing.assert_allclose(slow.turns.amounts[:, :2], fast.turns.amounts[::2, :2], atol=1e-9)
    seconds = lambda table, fps: table[["onset", "offset"]].to_numpy() / fps
    np.testing.assert_allclose(
        seconds(slow.annotations, 30), seconds(fast.annotations, 60), atol=0.1
    )


def test_other_levels_have_no_camera_and_no_depth():
    plan = plan_video(seconds=6.0, level="default")
    assert plan.camera is None and len(plan.turns.fields) == 2
    assert "moving" not in asdict(LEVELS["default"])


def test_expressions_lie_across_the_ends_of_videos_and_half_of_each_is_seen():
    scene = dict(seconds=10.0, mae_per_minute=10.0, me_per_minute=15.0, level="untidy")
    ends = []
    for seed in range(12):
        plan = plan_video(seed=seed, **scene)
        table, frames = plan.annotations, len(plan.weights)
        assert table.onset.min() >= 1 and table.offset.max() <= frames
        assert (table.onset <= table.apex).all() and (table.apex <= table.offset).all()
        seconds = (table.offset - table.onset + 1) / 30
        assert (seconds[table.kind == "MaE"] >= 0.5).all()
        assert (seconds[table.kind == "ME"] < 0.5).all()
        ends.append(((table.onset == 1) | (table.offset == frames)).sum())
    assert sum(ends) > 4
    whole = replace(LEVEL, cut=0.0)
    plan = plan_video(seed=0, **(scene | dict(level=whole)))
    assert plan.annotations.onset.min() > 1 and plan.annotations.offset.max() < 300


def test_less_than_half_of_an_expression_is_not_labelled():
    early, late = (Event("MaE", at, 0.5, 1.0, 0.5, (("smile", 0.8),)) for at in (2.9, 3.1))
    moved, labelled = seen_events([early, late], seconds=10.0, lead=4.0)
    assert [round(event.start, 3) for event in moved] == [-1.1, -0.9]
    assert [round(event.start, 3) for event in labelled] == [-0.9]


def test_speech_moves_the_mouth_by_a_limited_sum():
    units, loud = load_heads().units, replace(LEVEL, speech_strengths=(3.0, 3.1))
    mouth = [units.index(name) for name in untidy.MOUTH_UNITS]
    weights, opened = untidy.speak(np.random.default_rng(0), clock(), loud, units)
    total = weights[:, mouth].sum(axis=1)
    assert 0.9 * untidy.MOST < total.max() < untidy.MOST and opened.max() > 0.5


def test_a_distractor_can_be_left_out(tmp_path):
    units = load_heads().units
    for name in WITHOUT:
        assert without(LEVEL, [name]) != LEVEL
    quiet = without(LEVEL, ["speech", "turns", "rest", "cuts"])
    for seed in range(20):
        rng = np.random.default_rng(seed)
        scene = untidy.untidy_scene(rng, clock(), quiet, [], units, subject=0)
        assert np.abs(scene.weights[:, units.index("speech_round")]).max() == 0
        assert np.degrees(scene.turns.amounts[:, 0].std()) < 1.3
    with pytest.raises(UserError, match="'talk' is unknown; take one of ends, "):
        without(LEVEL, ["talk"])
    with pytest.raises(UserError, match='only level "untidy"'):
        without(LEVELS["hard"], ["speech"])
    scene = dict(subjects=1, seconds=4.0, mae_per_minute=0, me_per_minute=0, progress=False)
    bank = synthetic_bank(tmp_path / "b", level="untidy", left_out=("speech",), workers=1, **scene)
    assert bank.meta["source"]["level"] == "untidy without speech"
    assert bank.meta["source"]["difficulty"]["talking"] == 0


def test_settings_survive_as_plain_values():
    for level in (LEVEL, LEVELS["hard"], Untidy(talking=0.1)):
        values = {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(level).items()}
        assert difficulty_from(values) == level
    assert type(difficulty_from(asdict(Difficulty()))) is Difficulty


def test_some_people_talk_and_some_heads_turn():
    units = load_heads().units
    talk, turn = [], []
    for seed in range(60):
        scene = untidy.untidy_scene(
            np.random.default_rng(seed), clock(), LEVEL, [], units, subject=seed % 56
        )
        opened = scene.weights[:, units.index("speech_open")]
        talk.append((opened > 0.2).mean())
        turn.append(np.degrees(scene.turns.amounts[:, 0].std()))
    share = np.mean(np.array(talk) > 0.08)
    assert abs(share - LEVEL.talking) < 0.2 and max(talk) > 0.3
    assert np.mean(np.array(turn) > 1.4) == pytest.approx(LEVEL.moving, abs=0.25)


def test_a_face_does_not_come_to_rest_after_an_expression_and_slowly_does():
    units = load_heads().units
    event = Event("MaE", 5.0, 0.5, 1.0, 0.5, (("smile", 0.8),))
    quiet = replace(LEVEL, left=(0.999, 1.0), tonus_slow=(1e-9, 2e-9), mouth=(1e-3, 2e-3))
    found = []
    for seed in range(20):
        weights = untidy.rest(np.random.default_rng(seed), clock(), quiet, [event], units)
        smile = weights[:, units.index("smile")]
        assert np.abs(smile[: 6 * 30]).max() < 1e-6, "nothing before it begins to fade"
        assert smile[7 * 30] == smile.max() and smile[-1] < 0.05 * smile.max() + 1e-6
        found.append(smile[7 * 30] / 0.8)
    assert 0.3 < np.mean(found) < 0.7 and max(found) <= 1.0


def test_the_camera_hides_blurs_and_encodes():
    frames = np.tile(load_heads().neutral[0][16:128, 16:128], (12, 1, 1))
    hand = Passing(0.1, 0.2, np.array([[-40.0, 60.0], [56.0, 60.0]]), (12.0, 20.0), 0.0, 120.0)
    times = np.arange(12) / 30
    picture = frames[0]
    assert all(cover(picture, (hand,), time) is picture for time in (0.05, 0.31))
    hidden = cover(frames[0], (hand,), 0.2)
    assert abs(int(hidden[60, 56]) - 120) < 15 and (hidden[:20] == frames[0][:20]).all()
    none = Camera(times, np.zeros(12), (), 18)
    stretched = np.clip((frames.astype(float) - 16) * 255 / 219, 0, 255)
    error = lambda camera: np.abs(film(frames, camera) - stretched).mean()
    assert error(none) < 3 < error(replace(none, crf=45))
    assert error(none) < error(replace(none, blur=np.full(12, 1.5)))
    np.testing.assert_array_equal(through_codec(frames, crf=30), through_codec(frames, crf=30))
    assert film(frames[3:5], none, [3, 4]).shape == (2, 112, 112)


def test_a_bank_says_that_its_crops_are_posed(tmp_path):
    bank = synthetic_bank(tmp_path / "bank", subjects=1, progress=False, workers=1, **SHORT)
    assert bank.alignment == "posed" and bank.meta["source"]["level"] == "untidy"
    other = SHORT | dict(level="easy")
    tame = synthetic_bank(tmp_path / "tame", subjects=1, progress=False, workers=1, **other)
    assert tame.alignment == "similarity"


def test_what_moves_without_an_expression_is_as_large_as_on_real_faces():
    """Medians over videos of the motion within 0.15 s, pixels; measured on real clips: docs."""
    nose = []
    for subject in range(12):
        plan = plan_video(subject=subject, **(SHORT | dict(me_per_minute=0, mae_per_minute=0)))
        frames = render_plan(plan)
        points = np.array([[[56.0, 55.0]]], np.float32)
        for start in range(0, 170, 34):
            moved, seen, _ = cv2.calcOpticalFlowPyrLK(
                frames[start],
                frames[start + 5],
                points,
                None,  # pyright: ignore[reportArgumentType, reportCallIssue]
                winSize=(21, 21),
            )
            if seen.all():
                nose.append(float(np.linalg.norm(moved - points)))
    assert 0.08 < np.median(nose) < 0.8 and np.quantile(nose, 0.9) > 0.4
