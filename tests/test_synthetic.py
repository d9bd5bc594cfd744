import numpy as np
import pandas as pd
import pytest

from jaxspot.annotations.intervals import ANNOTATION_COLUMNS
from jaxspot.errors import UserError
from jaxspot.synthetic.difficulty import LEVELS
from jaxspot.synthetic.events import activations, annotate, write_script
from jaxspot.synthetic.generate import plan_video, render_plan, synthesise_video, synthetic_bank
from jaxspot.synthetic.heads import load_heads
from jaxspot.synthetic.motion import Clock, distractions, draw_course
from jaxspot.synthetic.units import EXPRESSIONS

SHORT = dict(seconds=6.0, mae_per_minute=10.0, me_per_minute=20.0)


def script(fps, *, seed=0, seconds=60.0):
    return write_script(
        np.random.default_rng(seed),
        LEVELS["default"],
        seconds=seconds,
        fps=fps,
        mae_per_minute=8,
        me_per_minute=9,
    )


def clock(fps, seconds=60.0):
    return Clock(seconds, np.arange(round(seconds * fps)) / fps)


def test_same_seed_same_video_and_another_seed_another():
    frames, annotations = synthesise_video(**SHORT)
    again, annotations_again = synthesise_video(**SHORT)
    np.testing.assert_array_equal(frames, again)
    pd.testing.assert_frame_equal(annotations, annotations_again)
    assert frames.shape == (180, 112, 112) and frames.dtype == np.uint8
    for other in (dict(seed=1), dict(video=1), dict(subject=1)):
        assert not np.array_equal(frames, synthesise_video(**SHORT, **other)[0])


def test_bank_does_not_depend_on_workers_and_equals_single_videos(tmp_path):
    settings = dict(subjects=2, people=(5, 4, 9), progress=False, **SHORT)
    one = synthetic_bank(tmp_path / "one", workers=1, **settings)
    two = synthetic_bank(tmp_path / "two", workers=2, **settings)
    assert one.meta["sha256"] == two.meta["sha256"]
    assert sorted(one.videos.video) == ["s04_1", "s05_1"]
    frames, annotations = synthesise_video(subject=4, **SHORT)
    np.testing.assert_array_equal(two.frames("s05_1"), frames)
    own = two.annotations[two.annotations.video == "s05_1"].reset_index(drop=True)
    pd.testing.assert_frame_equal(own, annotations, check_dtype=False)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["one", "two"]


def test_single_frames_are_those_of_the_whole_video():
    for level in ("default", "easy"):
        frames, annotations = synthesise_video(level=level, **SHORT)
        plan = plan_video(level=level, **SHORT)
        some = render_plan(plan, [0, 100, 30])
        assert np.abs(frames[[0, 100, 30]].astype(int) - some).mean() < 0.01
        pd.testing.assert_frame_equal(annotations, plan.annotations)


def test_uneven_light_is_the_default_scene_under_a_lamp_from_one_side():
    plain, uneven = (
        [draw_course(np.random.default_rng(seed), clock(30.0), LEVELS[level]) for seed in range(40)]
        for level in ("default", "uneven")
    )
    sides = np.array([[c.side_x, c.side_y] for c in uneven])
    assert np.median(np.hypot(*sides.mean(-1).T)) > 0.3
    assert (sides.mean(-1) > 0).any(0).all() and (sides.mean(-1) < 0).any(0).all()
    slow = np.abs(np.diff(sides[..., ::30])).mean()
    assert slow > 4 * np.abs(np.diff([[c.side_x[::30], c.side_y[::30]] for c in plain])).mean()
    assert (1 + sides.sum(1) > 0).mean() > 0.99
    for a, b in zip(plain, uneven, strict=True):
        for name in ("shift_x", "shift_y", "roll", "zoom", "yaw", "pitch", "gain"):
            np.testing.assert_array_equal(getattr(a, name), getattr(b, name))


def smoothstep(x):
    x = min(max(x, 0.0), 1.0)
    return 3 * x**2 - 2 * x**3


def level_by_hand(event, time):
    end = event.start + event.rise + event.hold + event.decay
    return min(
        smoothstep((time - event.start) / event.rise), smoothstep((end - time) / event.decay)
    )


@pytest.mark.parametrize("fps", [25.0, 29.97, 200.0])
def test_labels_are_the_profiles_first_highest_and_last_frame(fps):
    times = clock(fps).times
    events = sorted(script(fps), key=lambda e: (e.start, e.kind))
    table = annotate(events, times, subject="s01", video="s01_1")
    for event, row in zip(events, table.itertuples(), strict=True):
        level = np.array([level_by_hand(event, t) for t in times])
        moving = np.flatnonzero(level)
        assert (row.onset, row.offset) == (moving[0] + 1, moving[-1] + 1)
        assert level[row.apex - 1] == pytest.approx(level.max(), abs=1e-12)
        assert (level[: row.apex - 1] < level.max()).all()


@pytest.mark.parametrize("fps", [12.5, 25.0, 30.0, 60.0, 200.0])
@pytest.mark.parametrize("level", list(LEVELS))
def test_counts_durations_and_room(fps, level):
    for seed in range(4):
        events = write_script(
            np.random.default_rng(seed),
            LEVELS[level],
            seconds=90,
            fps=fps,
            mae_per_minute=8,
            me_per_minute=9,
        )
        table = annotate(events, clock(fps, 90.0).times, subject="s", video="v")
        for kind, count in (("MaE", 12), ("ME", 14)):
            own = table[table.kind == kind].sort_values("onset")
            assert len(own) == count
            seconds = (own.offset - own.onset + 1) / fps
            assert (seconds < 0.5).all() if kind == "ME" else (seconds >= 0.5).all()
            assert (own.onset.to_numpy()[1:] - own.offset.to_numpy()[:-1] > 0.4 * fps).all()
            assert own.onset.min() > 1 and own.offset.max() < 90 * fps


def test_some_micro_expressions_overlap_macro_expressions():
    shared = 0
    for seed in range(20):
        times = clock(30.0).times
        events = script(30.0, seed=seed)
        by_kind = {
            kind: activations([e for e in events if e.kind == kind], times, tuple(EXPRESSIONS))
            for kind in ("ME", "MaE")
        }
        shared += bool(np.any((by_kind["ME"].max(1) > 0) & (by_kind["MaE"].max(1) > 0)))
    assert 5 <= shared <= 20


@pytest.mark.parametrize("fps", [60.0, 200.0])
def test_scene_in_seconds_is_the_same_at_any_frame_rate(fps):
    assert script(fps) == script(30.0)
    units, level = load_heads().units, LEVELS["default"]
    slow, fast = slice(None, None, 3), slice(None, None, round(fps / 10))
    few, many = (
        distractions(np.random.default_rng(1), clock(f), level, units) for f in (30.0, fps)
    )
    np.testing.assert_allclose(few[slow], many[fast], atol=1e-9)
    few, many = (draw_course(np.random.default_rng(2), clock(f), level) for f in (30.0, fps))
    for name, values in vars(few).items():
        np.testing.assert_allclose(values[slow], vars(many)[name][fast], atol=1e-9, err_msg=name)


def test_a_video_without_events_has_no_labels_yet_moves():
    frames, annotations = synthesise_video(seconds=3, mae_per_minute=0, me_per_minute=0)
    assert list(annotations.columns) == list(ANNOTATION_COLUMNS) and annotations.empty
    assert (frames[0] != frames[-1]).any()


def test_the_demo_holds_enough_of_both_kinds():
    tables = [
        write_script(
            np.random.default_rng(seed),
            LEVELS["default"],
            seconds=1000 / 30,
            fps=30,
            mae_per_minute=8,
            me_per_minute=9,
        )
        for seed in range(8)
    ]
    kinds = [event.kind for events in tables for event in events]
    assert kinds.count("MaE") >= 30 and kinds.count("ME") >= 24


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (dict(level="brutal"), "level 'brutal' is unknown"),
        (dict(seconds=3, mae_per_minute=200), "do not fit"),
        (dict(subjects=10_000), "subjects asked for; the heads are"),
        (dict(subjects=3, people=(4, 5)), "3 subjects asked for; the people named are 2"),
        (dict(subjects=2, people=(4, 4)), "person 4 named"),
        (dict(subjects=2, people=(4, 0)), "person 0 named"),
        (dict(fps=5), "fps is 5"),
    ],
)
def test_mistakes_are_one_line_and_leave_nothing(tmp_path, settings, message):
    with pytest.raises(UserError, match=message):
        synthetic_bank(tmp_path / "bank", workers=1, progress=False, **settings)
    assert not list(tmp_path.iterdir())


def test_an_existing_bank_is_not_overwritten(tmp_path):
    (tmp_path / "bank").mkdir()
    (tmp_path / "bank" / "mine.txt").write_text("kept")
    with pytest.raises(UserError, match="holds something already"):
        synthetic_bank(tmp_path / "bank", workers=1, progress=False)
    assert (tmp_path / "bank" / "mine.txt").read_text() == "kept"
