"""Frames come to the devices an epoch at a time or all at once, and training cannot tell."""

import dataclasses
import threading
from contextlib import closing
from typing import NamedTuple

import jax
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from loso_runs import FOLDS, MODEL, TRAINING, same, train
from pools import make_pool

from jaxspot.devices import ALIGNMENT, fold_mesh, replicate
from jaxspot.errors import UserError
from jaxspot.network.inputs import preprocess
from jaxspot.network.model import build_model
from jaxspot.network.motion import local_motion
from jaxspot.training import pool as pools
from jaxspot.training.feed import feed_epochs, seen_places, sees_half
from jaxspot.training.loso import TrainedFolds
from jaxspot.training.pool import BankFrames, gather_pool
from jaxspot.training.sampling import validation_samples
from jaxspot.training.saved_epochs import Progress
from jaxspot.video.bank import Bank


class Watched:
    """Frames that note what is asked of them and are never given as one array."""

    def __init__(self, frames, fails_at=None):
        self.frames, self.shape, self.asked, self.fails_at = frames, frames.shape, [], fails_at

    def __getitem__(self, places):
        if len(self.asked) == self.fails_at:
            raise UserError("the disk is gone")
        self.asked.append(np.array(places))
        return self.frames[places]

    def __array__(self, *arguments, **options):
        raise AssertionError("the whole bank was read")


def watched_pool(**options):
    pool = make_pool()
    return dataclasses.replace(pool, frames=Watched(pool.frames, **options))


def waiting_threads():
    return [thread for thread in threading.enumerate() if thread.name.startswith("frames")]


def write_frames(root, pool):
    """The pool of `make_pool` as a bank on disk, whatever the size of its frames."""
    labels = []
    for folder in ("frames", "quality"):
        (root / folder).mkdir()
    names = [f"v{number}" for number in range(len(pool.subjects))]
    for first, length, subject, video in zip(
        pool.first, pool.lengths, pool.subjects, names, strict=True
    ):
        span = slice(first, first + length)
        np.save(root / f"frames/{video}.npy", pool.frames[span])
        np.save(root / f"quality/{video}.npy", np.repeat(pool.usable[span, None], 2, 1))
        labels += [(subject, video, "ME", 4, 4, 6), (subject, video, "MaE", 9, 9, 13)]
    return Bank(
        root,
        pd.DataFrame(dict(subject=pool.subjects, video=names, frames=pool.lengths, fps=pool.fps)),
        pd.DataFrame(labels, columns=["subject", "video", "kind", "onset", "apex", "offset"]),
        {},
    )


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    """The made-up pool, its frames on disk."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pools, "SIZE", 16)
        yield write_frames(tmp_path_factory.mktemp("bank"), make_pool())


class Streamed(NamedTuple):
    """A training from disk and what was seen on the way.

    Attributes:
      trained: what came of it.
      passed: every epoch.
      asked: the places of each read.
      on_device: how many epochs' frames were there after each epoch.
    """

    trained: TrainedFolds
    passed: list[Progress]
    asked: list[np.ndarray]
    on_device: list[int]


@pytest.fixture(scope="module")
def streamed(bank):
    """Frames from disk, an epoch at a time."""
    pool, passed, on_device = gather_pool(bank), [], []
    watched = dataclasses.replace(pool, frames=Watched(pool.frames))

    def note(progress):
        passed.append(progress)
        arrays = [array for array in jax.live_arrays() if array.dtype == np.uint8]
        on_device.append(sum(array.shape[1:] == (16, 16) for array in arrays))

    trained = train(watched, resident=False, on_epoch=note)
    return Streamed(trained, passed, watched.frames.asked, on_device)


def test_a_bank_on_disk_is_the_pool_in_memory(bank):
    found, expected = gather_pool(bank), make_pool()
    assert isinstance(found.frames, BankFrames) and found.frames.shape == (64, 16, 16)
    for field in dataclasses.fields(found):
        if field.name != "frames":
            np.testing.assert_array_equal(*(getattr(p, field.name) for p in (found, expected)))


def test_from_disk_and_from_memory_the_numbers_are_the_same(streamed):
    whole = train(make_pool(), resident=True)
    same(streamed.trained.variables, whole.variables)
    assert streamed.trained.metrics == whole.metrics
    assert [progress.epoch for progress in streamed.passed] == [1, 2, 3]


def test_a_cut_training_goes_on_from_disk(streamed, bank):
    resumed = train(gather_pool(bank), resident=False, resume=streamed.passed[0])
    same(resumed.variables, streamed.trained.variables)
    assert resumed.metrics == streamed.trained.metrics


def test_training_reads_what_an_epoch_sees_and_no_more(streamed):
    """Validation once, then every epoch; no epoch's frames stay on the device after it."""
    validation, *epochs = streamed.asked
    assert validation.shape == (4, 2, 2, 3) and len(epochs) == TRAINING.epochs
    assert all(len(np.unique(places)) < 40 for places in epochs)
    assert streamed.on_device == [0, 0, 0] and not waiting_threads()


def test_what_the_thread_meets_ends_the_training():
    passed = []
    with pytest.raises(UserError, match="the disk is gone"):
        train(watched_pool(fails_at=2), resident=False, on_epoch=passed.append)
    assert [progress.epoch for progress in passed] == [1] and not waiting_threads()


def test_a_training_that_is_stopped_leaves_no_thread():
    def stop(progress):
        raise KeyboardInterrupt

    pool = watched_pool()
    with pytest.raises(KeyboardInterrupt):
        train(pool, resident=False, on_epoch=stop)
    assert len(pool.frames.asked) <= 3 and not waiting_threads()


@pytest.mark.parametrize("first", [1, 3])
def test_each_epoch_is_fed_the_same_samples_both_ways(first):
    training, mesh = dataclasses.replace(TRAINING, epochs=4), fold_mesh(2)
    feeds = [
        feed_epochs(watched_pool(), FOLDS, MODEL, training, mesh, first=first, resident=resident)
        for resident in (True, False)
    ]
    with closing(feeds[0]), closing(feeds[1]):
        fed = list(zip(*feeds, strict=True))
    assert len(fed) == 5 - first
    for (data, whole), (other_data, seen) in fed:
        assert (other_data.key == data.key).all() and seen.key == whole.key
        same(other_data._replace(key=0), data._replace(key=0))
        rows, others = np.asarray(whole.samples), np.asarray(seen.samples)
        frames, others_frames = np.asarray(whole.frames), np.asarray(seen.frames)
        np.testing.assert_array_equal(others_frames[others], frames[rows])
        labels, others_labels = np.asarray(whole.labels), np.asarray(seen.labels)
        np.testing.assert_array_equal(others_labels[others], labels[rows])
    assert len({seen.frames.shape for _, (*_, seen) in fed}) == 1


def test_all_devices_of_a_cpu_read_one_copy(bank):
    frames, mesh = gather_pool(bank).frames, fold_mesh(4)
    whole, odd = frames[np.arange(frames.shape[0])], np.zeros(6400, np.uint8)[1:]
    assert whole.ctypes.data % ALIGNMENT == 0
    for array in (whole, odd):
        shards = replicate(array, mesh).addressable_shards
        assert len({shard.data.unsafe_buffer_pointer() for shard in shards}) == 1
        np.testing.assert_array_equal(shards[3].data, array)
    (place, *_) = {
        s.data.unsafe_buffer_pointer() for s in replicate(whole, mesh).addressable_shards
    }
    assert place == whole.ctypes.data, "read where the bank's frames were gathered"


MOVING = build_model(trunk="motion", references=(("ME", 1.0), ("ME", -2.0), ("MaE", -1.0)))


@pytest.mark.parametrize("model", [MODEL, MOVING])
def test_validation_lies_where_its_fold_trains(model):
    pool, mesh = make_pool(), fold_mesh(2)
    with closing(feed_epochs(pool, FOLDS[:3], model, TRAINING, mesh)) as feed:
        data, shared = next(feed)
    table = validation_samples(pool, FOLDS[:3], TRAINING, model.streams)
    assert shared.samples.shape[-1] == table.shape[-1] == 1 + len(model.streams.references)
    seen = jax.jit(preprocess)(pool.frames[table])
    if model is MOVING:
        flat = jax.jit(local_motion)(seen.reshape(-1, *seen.shape[3:]))
        seen = flat.reshape(*seen.shape[:3], 3, 2, 2, 2)
    np.testing.assert_allclose(data.validation[:3], seen, atol=1e-5)
    np.testing.assert_array_equal(data.validation_labels[:3], pool.labels[table[..., 0]])
    shards = data.validation.addressable_shards
    assert [shard.data.shape for shard in shards] == [(2, *seen.shape[1:])] * 2


@given(
    st.lists(
        st.lists(st.integers(0, 300), min_size=12, max_size=12).map(
            lambda places: np.array(places, np.int32).reshape(2, 2, 3)
        ),
        min_size=1,
        max_size=4,
    )
)
def test_seen_places_are_those_of_the_rows(epochs):
    for rows, (places, numbers) in zip(epochs, seen_places(epochs), strict=True):
        assert set(places) == set(rows.ravel()) and len(places) == 64
        np.testing.assert_array_equal(places[numbers], rows)
        assert numbers.dtype == np.int32 and numbers.shape == rows.shape


def test_epochs_that_see_many_frames_are_filled_up_alike():
    few, many = np.zeros((1, 2, 3), np.int32), np.arange(99, dtype=np.int32).reshape(3, 11, 3)
    assert [len(places) for places, _ in seen_places([few, many])] == [128, 128]


@pytest.mark.parametrize(("frames", "half"), [(1, True), (12, True), (13, False), (99, False)])
def test_a_bank_is_small_where_an_epoch_with_validation_sees_half(frames, half):
    epochs = [np.array([0, 1, 1]), np.array([2, 3, 4])]
    assert sees_half(epochs, np.array([4, 5, 6, 6, 8]), frames) is half


@given(st.data())
def test_frames_of_a_bank_by_place(bank, data):
    shape = data.draw(st.sampled_from([(0,), (1,), (5,), (2, 3), (2, 2, 2), ()]))
    places = np.array(
        data.draw(
            st.lists(st.integers(0, 63), min_size=int(np.prod(shape)), max_size=int(np.prod(shape)))
        ),
        np.int64,
    ).reshape(shape)
    found = gather_pool(bank).frames[places]
    np.testing.assert_array_equal(found, make_pool().frames[places])
    assert found.dtype == np.uint8


@pytest.mark.parametrize("places", [[0, 64], [-1, 3]])
def test_places_outside_of_a_bank_are_refused(bank, places):
    with pytest.raises(IndexError, match="64 frames"):
        gather_pool(bank).frames[np.array(places)]


@pytest.mark.parametrize("left", [None, 0, 200, 1000])
def test_a_file_that_goes_during_a_run_is_named(tmp_path, left):
    frames = BankFrames(write_frames(tmp_path, make_pool()), np.arange(0, 80, 16))
    path = tmp_path / "frames/v2.npy"
    if left is None:
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:left])
    with pytest.raises(UserError, match=r"frames/v2.npy: gone or damaged .* --resume") as error:
        frames[np.arange(64)]
    assert "\n" not in str(error.value)
