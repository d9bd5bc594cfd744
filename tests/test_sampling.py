import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pools import make_pool

from jaxspot.errors import UserError
from jaxspot.network.streams import Streams
from jaxspot.training.folds import Fold, loso_folds
from jaxspot.training.pool import gather_pool
from jaxspot.training.sampling import (
    draw_samples,
    epoch_samples,
    same_length,
    validation_samples,
)
from jaxspot.training.step import Training
from jaxspot.video.bank import finish_bank
from jaxspot.video.shown import last_usable
from jaxspot.video.writer import save_video

SKIPS = ((0.1, 0.3), (16 / 30, 50 / 30))
EPOCH = dict(seed=3, steps=5, batch=4, skip_range_seconds=SKIPS, balance=0.3)


PAPER = Streams()


def draw(pool, subjects=("s0", "s2"), samples=4000, seed=0, balance=0.0, streams=PAPER):
    rng = np.random.default_rng(seed)
    training = Training(skip_range_seconds=SKIPS, balance=balance)
    return draw_samples(pool, pool.of_subjects(subjects), rng, samples, training, streams)


def drawn_epoch(pool, folds, *, epoch, **options):
    return epoch_samples(pool, folds, Training(**options), Streams(), epoch=epoch)


@given(st.lists(st.booleans(), min_size=1).filter(any))
def test_last_usable_by_brute_force(usable):
    for place, found in enumerate(last_usable(np.array(usable))):
        before = [i for i in range(place + 1) if usable[i]]
        assert found == (before[-1] if before else usable.index(True))


@pytest.mark.parametrize("fps", [25.0, 30.0, 200.0])
def test_skips_lie_in_their_range_in_seconds(fps):
    pool = make_pool(subjects=3, frames=1200, size=2, fps=fps)
    table = draw(pool)
    inside = table[:, 0] - pool.first[pool.video[table[:, 0]]] >= SKIPS[1][1] * fps + 1
    for stream, (shortest, longest) in enumerate(SKIPS):
        skips = (table[:, 0] - table[:, 1 + stream])[inside]
        assert np.abs(skips.min() / fps - shortest) <= 0.5 / fps + (longest - shortest) / 50
        assert np.abs(skips.max() / fps - longest) <= 0.5 / fps + (longest - shortest) / 50
        assert (skips >= np.floor(shortest * fps)).all() and (skips <= np.ceil(longest * fps)).all()
        counts, _ = np.histogram(skips, 4)
        assert counts.min() > 0.5 * counts.mean()


def test_skips_at_30_fps_are_whole_frames_of_table_3():
    pool = make_pool(subjects=3, frames=1200, size=2, fps=30.0)
    table = draw(pool, samples=20000)
    inside = table[:, 0] % 1200 > 60
    skips = (table[:, :1] - table[:, 1:])[inside]
    assert set(skips[:, 0]) == set(range(3, 10))
    assert set(skips[:, 1]) == set(range(16, 51))


def test_samples_come_from_the_subjects_asked_for():
    pool = make_pool(videos=2)
    table = draw(pool)
    assert {pool.subjects[video] for video in pool.video[table[:, 0]]} == {"s0", "s2"}
    assert len(np.unique(table[:, 0])) == 2 * 2 * 16


def test_references_stay_in_the_video_and_before_the_frame():
    pool = make_pool(videos=3, frames=20, blind=range(40, 60, 3))
    table = draw(pool, subjects=("s0", "s1", "s2", "s3"))
    assert (pool.video[table] == pool.video[table[:, :1]]).all()
    assert (table[:, 1:] <= table[:, :1]).all()
    np.testing.assert_array_equal(
        table[table[:, 0] == 20], np.full_like(table[:1], 20).repeat((table[:, 0] == 20).sum(), 0)
    )


def test_before_the_first_frame_the_first_frame_serves():
    pool = make_pool(subjects=3, frames=10)
    current = np.array([10, 11, 14, 19, 20])
    found = pool.references(current, np.array([7, 1, 3, 30, 1]))
    np.testing.assert_array_equal(found, [10, 10, 11, 10, 20])


def test_after_the_last_frame_the_last_frame_serves():
    pool = make_pool(subjects=3, frames=10)
    current = np.array([10, 18, 19, 25])
    found = pool.references(current, np.array([-7, -1, -3, -30]))
    np.testing.assert_array_equal(found, [17, 19, 19, 29])


def test_streams_of_a_kind_share_its_skip():
    references = (("ME", 1.0), ("ME", -2.0), ("MaE", 0.5), ("MaE", -1.0))
    pool = make_pool(subjects=3, frames=1200, size=2)
    table = draw(pool, streams=Streams(references))
    inside = (table[:, 0] % 1200 > 60) & (table[:, 0] % 1200 < 1100)
    skips = (table[:, :1] - table[:, 1:])[inside]
    np.testing.assert_array_equal(skips[:, 1], -2 * skips[:, 0])
    np.testing.assert_array_equal(skips[:, 2], np.rint(-0.5 * skips[:, 3]))
    assert set(skips[:, 0]) == set(range(3, 10)) and set(-skips[:, 3]) == set(range(16, 51))


def test_frames_without_a_face_never_enter():
    blind = [0, 1, 5, 6, 7, 15, 16, 31, 40]
    pool = make_pool(blind=blind)
    for balance in (0.0, 1.0):
        table = draw(pool, subjects=("s0", "s1", "s2"), balance=balance)
        assert not np.isin(table, blind).any()
    assert set(draw(pool, subjects=("s0",))[:, 0]) == set(range(16)) - set(blind)


@pytest.mark.parametrize(("balance", "shares"), [(0.0, (3, 5, 8)), (1.0, (1, 1, 1))])
def test_balance_draws_each_kind_as_often(balance, shares):
    pool = make_pool()
    labels = pool.labels[draw(pool, samples=6000, balance=balance)[:, 0]]
    kinds = [labels[:, 0].mean(), labels[:, 1].mean(), 1 - labels.any(1).mean()]
    np.testing.assert_allclose(kinds, np.array(shares) / sum(shares), atol=0.03)


def test_balance_does_without_a_kind_that_is_missing():
    pool = make_pool()
    pool.labels[:, 0] = 0
    labels = pool.labels[draw(pool, balance=1.0)[:, 0]]
    assert labels[:, 1].mean() == pytest.approx(0.5, abs=0.05)


def batches(samples):
    """The rows that each fold takes: (folds, steps, batch, 1 + streams)."""
    steps = np.arange(len(samples.samples))[:, None]
    return samples.samples[steps, samples.index]


def test_samples_depend_on_seed_and_epoch_and_not_on_other_folds():
    pool, folds = make_pool(), loso_folds(["s0", "s1", "s2", "s3"])
    drawn = drawn_epoch(pool, folds, epoch=1, **EPOCH)
    taken = batches(drawn)
    assert taken.shape == (4, 5, 4, 3) and drawn.samples.dtype == drawn.index.dtype == np.int32
    np.testing.assert_array_equal(batches(drawn_epoch(pool, folds, epoch=1, **EPOCH)), taken)
    some = drawn_epoch(pool, [folds[3], folds[1]], epoch=1, **EPOCH)
    np.testing.assert_array_equal(some.index, drawn.index[[3, 1]])
    np.testing.assert_array_equal(batches(some), taken[[3, 1]])
    for other in (dict(epoch=2), dict(epoch=1, seed=4)):
        differs = batches(drawn_epoch(pool, folds, **EPOCH | other)) != taken
        assert differs.any((1, 2, 3)).all()


def test_a_fold_takes_the_first_samples_of_its_training_subjects():
    pool, folds = make_pool(videos=2), loso_folds(["s0", "s1", "s2", "s3"])
    drawn = drawn_epoch(pool, folds, epoch=1, **EPOCH)
    owner = np.array(pool.subjects)[pool.video][drawn.samples[..., 0]]
    for fold, picks in zip(folds, drawn.index, strict=True):
        for names, places in zip(owner, picks, strict=True):
            wanted = [i for i, name in enumerate(names) if name in fold.training]
            assert list(places) == wanted[: len(places)]


@pytest.mark.parametrize("balance", [0.0, 0.6])
def test_what_the_held_out_subject_shows_draws_nothing_in_its_fold(balance):
    """Neither its labels nor where its face was found."""
    pool, folds = make_pool(), loso_folds(["s0", "s1", "s2", "s3"])
    options = dict(EPOCH, steps=20, balance=balance, epoch=1)
    before = batches(drawn_epoch(pool, folds, **options))
    other = make_pool(blind=range(16, 28))
    other.labels[16:32] = 1 - other.labels[16:32]
    after = batches(drawn_epoch(other, folds, **options))
    np.testing.assert_array_equal(after[1], before[1])
    assert folds[2].training == ("s0", "s1") and (after[2] != before[2]).any()


def test_subjects_are_drawn_by_their_length_whatever_the_others():
    pool = make_pool(subjects=6, videos=1, frames=30)
    folds = [Fold("s0", ("s1", "s2", "s4"), ("s3",)), Fold("s4", ("s5",), ("s0",))]
    options = dict(seed=0, epoch=1, steps=300, batch=8, skip_range_seconds=SKIPS, balance=0.0)
    first, alone = batches(drawn_epoch(pool, folds, **options))
    names = np.array(pool.subjects)[pool.video]
    assert set(names[alone].ravel()) == {"s5"}
    _, counts = np.unique(names[first[..., 0]], return_counts=True)
    np.testing.assert_allclose(counts, counts.sum() / 3, rtol=0.1)


def test_epochs_are_padded_to_one_length():
    pool, folds = make_pool(), loso_folds(["s0", "s1", "s2", "s3"])
    epochs = [drawn_epoch(pool, folds, epoch=epoch, **EPOCH) for epoch in range(1, 9)]
    lengths = {epoch.samples.shape[1] for epoch in epochs}
    padded = same_length(epochs)
    assert len(lengths) > 1 and {epoch.samples.shape[1] for epoch in padded} == {max(lengths)}
    for before, after in zip(epochs, padded, strict=True):
        np.testing.assert_array_equal(batches(after), batches(before))


def test_folds_train_and_validate_on_their_own_subjects():
    pool, folds = make_pool(videos=2), loso_folds(["s0", "s1", "s2", "s3"])
    training = batches(drawn_epoch(pool, folds, epoch=1, **EPOCH))
    validation = validation_samples(pool, folds, Training(**EPOCH, validation_batches=6), Streams())
    assert validation.shape == (4, 6, 4, 3)
    subjects = np.array(pool.subjects)[pool.video]
    for fold, seen, judged in zip(folds, training, validation, strict=True):
        assert set(subjects[seen].ravel()) <= set(fold.training)
        assert set(subjects[judged].ravel()) <= set(fold.validation)
        assert fold.held_out not in subjects[seen] and fold.held_out not in subjects[judged]


@pytest.fixture
def bank(tmp_path):
    rng = np.random.default_rng(0)
    videos = pd.DataFrame(
        [("a", "a_1", 7, 30.0), ("b", "b_1", 5, 200.0), ("a", "a_2", 6, 30.0)],
        columns=["subject", "video", "frames", "fps"],
    )
    for row in videos.itertuples():
        frames = rng.integers(0, 256, (row.frames, 112, 112)).astype(np.uint8)
        quality = np.ones((row.frames, 2), np.float32)
        if row.video == "b_1":
            quality[[0, 3]] = 0
        save_video(tmp_path, row.video, frames, quality)
    annotations = pd.DataFrame(
        [("a", "a_1", "ME", 2, 2, 3), ("a", "a_2", "MaE", 1, 4, 6), ("a", "a_2", "ME", 6, 6, 6)],
        columns=["subject", "video", "kind", "onset", "apex", "offset"],
    )
    return finish_bank(tmp_path, videos=videos, annotations=annotations, source={}, alignment={})


def test_gather_pool_lays_the_videos_in_a_row(bank):
    pool = gather_pool(bank)
    assert pool.subjects == ("a", "b", "a")
    for number, name in enumerate(("a_1", "b_1", "a_2")):
        (places,) = np.nonzero(pool.video == number)
        np.testing.assert_array_equal(pool.frames[places], bank.frames(name))
    np.testing.assert_array_equal(pool.first, [0, 7, 12])
    np.testing.assert_array_equal(pool.fps, [30, 200, 30])
    np.testing.assert_array_equal(np.flatnonzero(pool.labels[:, 0]), [1, 2, 17])
    np.testing.assert_array_equal(np.flatnonzero(pool.labels[:, 1]), np.arange(12, 18))
    np.testing.assert_array_equal(np.flatnonzero(~pool.usable), [7, 10])
    np.testing.assert_array_equal(pool.reference[7:12], [8, 8, 9, 9, 11])
    np.testing.assert_array_equal(pool.of_subjects(("b",)), [8, 9, 11])
    np.testing.assert_array_equal(pool.of_subjects(("a",)), [*range(7), *range(12, 18)])


def test_a_subject_without_a_face_is_named():
    pool = make_pool(blind=range(16, 32))
    with pytest.raises(UserError, match="s1: no frame shows a face"):
        validation_samples(pool, [Fold("s0", ("s2",), ("s1",))], Training(**EPOCH), Streams())


def test_faceless_training_subjects_are_passed_over_or_named():
    pool = make_pool(blind=range(16, 32))
    options = dict(EPOCH, epoch=1)
    drawn = batches(drawn_epoch(pool, [Fold("s0", ("s1", "s2"), ("s3",))], **options))
    assert set(np.array(pool.subjects)[pool.video[drawn[..., 0]]].ravel()) == {"s2"}
    with pytest.raises(UserError, match="s1: no frame shows a face"):
        drawn_epoch(pool, [Fold("s0", ("s1",), ("s3",))], **options)
