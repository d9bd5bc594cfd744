"""Hard cuts to another face at the same place begin a track; nothing else does."""

import numpy as np
import pytest
from prepare_calls import CSV, LABELS, call
from release_trees import write_images
from two_heads import two_heads
from video_files import encode, feat_clip

from jaxspot.datasets.doctor import check_faces
from jaxspot.experiment.scores import within_stays
from jaxspot.motion.pictures import bank_motion
from jaxspot.spotting.video_file import usable_frames
from jaxspot.training.pool import gather_pool
from jaxspot.video.bank import open_bank
from jaxspot.video.clip import aligned_clip
from jaxspot.video.decode import VideoFrame, read_video
from jaxspot.video.every_face import track_every_face
from jaxspot.video.landmarker import load_landmarker
from jaxspot.video.tracker import track_faces

PLACE = (200, 40)


@pytest.fixture(scope="module")
def landmarker():
    return load_landmarker()


def shot(person, count, *, place=PLACE, step=0):
    places = [[(place[0] + step * number, place[1])] for number in range(count)]
    return two_heads(places, people=(person,))


def frames_of(pictures, times=None):
    times = np.arange(len(pictures)) / 30 if times is None else times
    return [VideoFrame(float(t), picture) for t, picture in zip(times, pictures, strict=True)]


def one_face(frames, landmarker):
    return [seen.face for seen in track_faces(frames, landmarker)]


def every_face(frames, landmarker):
    return [[seen.face for seen in found] for _, found in track_every_face(frames, landmarker)]


@pytest.mark.parametrize("people", [(0, 1), (5, 50), (10, 40), (20, 33)])
def test_a_hard_cut_to_another_head_begins_a_track(people, landmarker):
    one, other = people
    pictures = shot(one, 4) + shot(other, 4) + shot(one, 2)
    wanted = [0] * 4 + [1] * 4 + [2] * 2
    assert one_face(frames_of(pictures), landmarker) == wanted
    assert every_face(frames_of(pictures), landmarker) == [[face] for face in wanted]


def test_a_cut_between_moving_heads_is_seen_as_well(landmarker):
    pictures = shot(0, 6, step=6) + shot(1, 6, place=(240, 40), step=6)
    assert one_face(frames_of(pictures), landmarker) == [0] * 6 + [1] * 6


def test_of_two_people_both_are_new_after_a_cut(landmarker):
    places = [[(20, 40), (360, 40)]] * 4
    pictures = two_heads(places, people=(0, 1)) + two_heads(places, people=(9, 20))
    assert every_face(frames_of(pictures), landmarker) == [[0, 1]] * 4 + [[2, 3]] * 4


def brighter(picture, gain, more):
    return np.clip(picture.astype(float) * gain + more, 0, 255).astype(np.uint8)


def flash(gain, more, at):
    pictures = shot(3, 10)
    return [brighter(p, gain, more) if n in at else p for n, p in enumerate(pictures)]


@pytest.mark.parametrize(
    "pictures",
    [
        pytest.param(lambda: shot(0, 13, place=(20, 40), step=26), id="26 pixels a frame"),
        pytest.param(lambda: shot(0, 8, place=(20, 40), step=40), id="40 pixels a frame"),
        pytest.param(lambda: flash(1.6, 40, {5}), id="a flash"),
        pytest.param(lambda: flash(2.2, 60, {5, 6}), id="a flash that blinds"),
        pytest.param(lambda: flash(4, 90, {4}), id="a white picture"),
        pytest.param(lambda: flash(0.35, 0, {4, 5, 6, 7, 8, 9}), id="the light goes out"),
    ],
)  # fmt: skip
def test_what_is_no_cut_begins_none(pictures, landmarker):
    frames = frames_of(pictures())
    assert set(one_face(frames, landmarker)) <= {0, -1}
    assert {face for found in every_face(frames, landmarker) for face in found} == {0}


@pytest.mark.parametrize("has_times", [True, False])
def test_a_dropped_second_is_no_cut(has_times, landmarker):
    """Of a person who speaks and turns a little; with times that tell of it, and without."""
    frames = list(read_video(feat_clip("single_face.mp4")))
    images = [frame.image for frame in frames[:8] + frames[32:44]]
    times = [frame.pts_s for frame in frames[:8] + frames[32:44]] if has_times else None
    assert set(one_face(frames_of(images, times), landmarker)) == {0}


@pytest.mark.parametrize("people", [(5, 37), (5, 43), (7, 51)])
def test_a_cut_where_some_frames_were_dropped_begins_a_track(people, landmarker):
    one, other = people
    times = np.r_[0:4, 14:18] / 30  # 0.37 s apart
    assert (
        one_face(frames_of(shot(one, 4) + shot(other, 4), times), landmarker) == [0] * 4 + [1] * 4
    )


@pytest.mark.parametrize("start", [0, 10, 24, 40])
def test_some_dropped_frames_are_no_cut(start, landmarker):
    frames = list(read_video(feat_clip("single_face.mp4")))[start : start + 20]
    kept = frames[:4] + frames[16:]
    times = [frame.pts_s for frame in kept]
    assert 0.25 < times[4] - times[3] < 0.5
    assert set(one_face(frames_of([frame.image for frame in kept], times), landmarker)) == {0}


def test_nothing_is_compared_across_a_cut(tmp_path, landmarker):
    encode(tmp_path / "cut.mp4", shot(0, 10) + shot(1, 10))
    clip = aligned_clip(tmp_path / "cut.mp4", landmarker=landmarker, progress=False)
    assert clip.faces.tolist() == [0] * 10 + [1] * 10
    usable = usable_frames(clip.faces, [3, -2])
    assert np.flatnonzero(~usable).tolist() == [8, 9, 10, 11, 12]


@pytest.fixture(scope="module")
def cut_bank(tmp_path_factory):
    """A bank of one video: head 0 for 10 frames, then head 1 for 12."""
    root = tmp_path_factory.mktemp("cut")
    pictures = np.stack(shot(0, 10) + shot(1, 12))[..., 0]
    write_images(root / "v", pictures, "{}.png".format)
    (root / "videos.csv").write_text(f"{CSV}p,v,v,30\n")
    (root / "annotations.csv").write_text(f"{LABELS}p,v,ME,3,4,5\n")
    assert call("csv", root, root / "bank") == 0
    return open_bank(root / "bank", verify=True)


def test_a_bank_knows_its_cuts_and_training_compares_nothing_across_them(cut_bank):
    assert cut_bank.begins("v") == (11,)
    assert cut_bank.tracks("v").tolist() == [0] * 10 + [1] * 12
    pool, rng = gather_pool(cut_bank), np.random.default_rng(0)
    current, skips = rng.integers(22, size=500), rng.integers(-30, 30, 500)
    found = pool.references(current, skips)
    own = np.where(current < 10, 0, 1)
    wanted = np.clip(current - skips, np.array([0, 10])[own], np.array([9, 21])[own])
    np.testing.assert_array_equal(found, wanted)


def test_scores_across_a_cut_are_none_as_in_spot(cut_bank):
    scores = np.ones((2, 22, 2), np.float32)
    found = within_stays(cut_bank, "v", scores, np.array([[3, 1], [-2, -2]]))
    assert np.flatnonzero(np.isnan(found[0, :, 0])).tolist() == [10, 11, 12]
    assert np.flatnonzero(np.isnan(found[1, :, 0])).tolist() == [8, 9]


def test_region_motion_is_not_measured_across_a_cut(cut_bank, tmp_path):
    assert call("bank", cut_bank.root, tmp_path / "motion") == 0
    made = open_bank(tmp_path / "motion")
    assert np.flatnonzero(~made.faces("v")).tolist() == [10]
    assert not made.motion("v")[10].any() and made.tracks("v")[[9, 11]].tolist() == [0, 1]
    motion, measured = bank_motion(cut_bank, "v")
    np.testing.assert_array_equal(motion, made.motion("v"))
    np.testing.assert_array_equal(measured, made.faces("v"))


def test_doctor_says_that_a_video_is_cut(cut_bank):
    (found,) = [check for check in check_faces(cut_bank) if "cut" in check.what]
    assert found.found == "v 2"
