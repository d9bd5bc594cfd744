"""What a person in a notebook calls by hand: it works, or says in one sentence why not."""

import dataclasses
import re

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from reference_lcn import pictures, scipy_lcn
from tiny_banks import write_bank

from jaxspot import (
    Augmentation,
    IntervalRule,
    Protocol,
    Training,
    TwoStream,
    augment,
    duration_table,
    find_intervals,
    from_span,
    gather_pool,
    k_frame,
    local_contrast_normalise,
    loso_folds,
    match_intervals,
    move_to_neutral_ratio,
    open_bank,
    score_intervals,
    score_video,
    to_span,
    train_loso,
    weighted_bce,
)
from jaxspot.errors import UserError, choices_of
from jaxspot.network import lcn, plain
from jaxspot.network.convolution import Convolution
from jaxspot.network.inputs import preprocess
from jaxspot.network.model import build_model, model_fields
from jaxspot.network.streams import Streams
from jaxspot.spotting.intervals import intervals_table
from jaxspot.training.step import make_optimiser


def refused(error, words, call, *args, **options):
    """Asserts that a call is refused in one line that says `words`; returns the line."""
    with pytest.raises(error, match=re.escape(words)) as caught:
        call(*args, **options)
    line = str(caught.value)
    assert "\n" not in line and len(line) < 200, line
    return line


@pytest.mark.parametrize("form", [lcn, plain])
@pytest.mark.parametrize("jitted", [False, True])
def test_lcn_of_bytes_is_that_of_the_same_picture_as_fractions(form, jitted):
    normalise = form.local_contrast_normalise
    frames = np.round(255 * pictures(2, 24, 40)).astype(np.uint8)
    found = (jax.jit(normalise) if jitted else normalise)(frames)
    assert found.dtype == np.float32 and found.min() < -1
    np.testing.assert_allclose(found, [scipy_lcn(frame / 255.0) for frame in frames], atol=1e-4)


@pytest.mark.parametrize("form", [lcn, plain])
@pytest.mark.parametrize("dtype", [np.int32, np.uint16, bool, np.int8])
def test_lcn_refuses_numbers_whose_range_nobody_knows(form, dtype):
    normalise = form.local_contrast_normalise
    words = f"images must be uint8 or float in the range 0..1, not {np.dtype(dtype)}"
    refused(TypeError, words, normalise, np.zeros((24, 24), dtype))
    refused(TypeError, words, jax.jit(normalise), np.zeros((24, 24), dtype))


def test_lcn_refuses_what_is_no_image():
    for images in (jnp.zeros(30), 0.5, np.zeros(30, np.uint8)):
        refused(ValueError, "(..., height, width), not ", local_contrast_normalise, images)


def test_without_lcn_bytes_are_the_same_picture_as_fractions():
    frames = np.round(255 * pictures(2, 24, 40)).astype(np.uint8)
    found = np.asarray(preprocess(frames, lcn=False))
    np.testing.assert_allclose(found, 2 * (frames / 255.0) - 1, atol=1e-6)


@pytest.mark.parametrize(
    ("kind", "field", "word", "near"),
    [
        (Convolution, "pooling", "avg", "average"),
        (Convolution, "kernel_init", "diff", None),
        (Convolution, "norm", "batchnorm", "batch"),
        (Convolution, "pool_grid", 3, None),
        (Training, "optimiser", "rmsprop", None),
        (Training, "decay", "cosin", "cosine"),
        (Protocol, "matching", "one_to_on", "one_to_one"),
        (Protocol, "threshold", "oracle", "test_oracle"),
        (Protocol, "frame_skip", "kht", "kth"),
        (IntervalRule, "normalisation", "train", None),
    ],
)
def test_an_option_of_a_few_words_takes_no_other(kind, field, word, near):
    line = refused(ValueError, f"{field} must be one of ", kind, **{field: word})
    choices, _, rest = line.removeprefix(f"{field} must be one of ").partition(", not ")
    assert rest.partition(". Did you mean ")[0] == repr(word)
    assert (f". Did you mean {near!r}?" in line) == ("Did you mean" in line) == (near is not None)
    plain = kind()
    assert str(getattr(plain, field)) in choices.split(", ")
    for choice in choices.split(", "):
        value = int(choice) if field == "pool_grid" else choice
        assert getattr(dataclasses.replace(plain, **{field: value}), field) == value


def test_a_trunk_is_one_of_three():
    line = refused(ValueError, "trunk must be one of convolution, ", build_model, trunk="motoin")
    assert line.endswith("motion, regions, not 'motoin'. Did you mean 'motion'?")
    for trunk in ("convolution", "motion", "regions"):
        model = build_model(trunk=trunk, widths=(2, 3, 5), dropout=0.2, fusion_width=7)
        assert model_fields(model)["trunk"] == trunk and model_fields(model)["dropout"] == 0.2
        assert build_model(**model_fields(model)) == model
    assert build_model() == TwoStream()
    refused(ValueError, "trunk must be a Convolution, Motion or ", TwoStream, trunk="motoin")
    with pytest.raises(TypeError, match="colour"):
        build_model(colour=1)


def test_every_word_that_an_option_takes_is_known_where_it_is_used():
    frames = jnp.zeros((1, 3, 16, 16))
    for norm in choices_of(Convolution)["norm"]:
        model = build_model(widths=(2, 2, 2), multiplier=1, norm=norm)
        assert jax.eval_shape(lambda m=model: m.init(jax.random.key(0), frames, train=False))
    for field in ("optimiser", "decay"):
        for word in choices_of(Training)[field]:
            optimiser = make_optimiser(Training(**{field: word}))
            assert optimiser.init({"weight": jnp.zeros(2)}) is not None


@pytest.mark.parametrize(
    "references",
    [(("micro", 1.0),), (("ME", 0.0),), (("ME", np.nan),), (("ME", 1.0), "MaE"), (), [("ME", 1.0)]],
)
def test_references_are_kinds_and_numbers(references):
    refused(ValueError, "references must be a tuple", Streams, references=references)


TWO = build_model(widths=(2, 2, 2), multiplier=1)
SEEN = build_model(widths=(2, 2, 2), trunk="motion")


@pytest.mark.parametrize(
    ("model", "shape", "dtype", "words"),
    [
        (
            TWO,
            (2, 112, 112, 3),
            float,
            "(2, 112, 112, 3); they must have (batch, 3, height, width)",
        ),
        (TWO, (2, 3, 113, 112), float, "113x112 pixels; height and width must be multiples of 4"),
        (TWO, (3, 112, 112), float, "(3, 112, 112); they must have (batch, 3, height, width)"),
        (TWO, (2, 2, 112, 112), float, "the current frame first, then its references"),
        (SEEN, (2, 3, 112, 112), float, "(2, 3, 112, 112); they must have (batch, 2, cells, cells"),
        (SEEN, (2, 3, 14, 14, 2), float, "they must have (batch, 2, cells, cells, 2)"),
        (TWO, (2, 3, 112, 112), np.uint8, "inputs are uint8; they must be float"),
    ],
)
def test_the_network_says_what_shape_it_wants(model, shape, dtype, words):
    inputs = np.zeros(shape, dtype)
    error = TypeError if dtype is np.uint8 else ValueError
    refused(error, words, model.init, jax.random.key(0), inputs, train=False)
    whole = np.zeros((1, 3, 8, 8) if model is TWO else (1, 2, 14, 14, 2), np.float32)
    variables = jax.eval_shape(lambda: model.init(jax.random.key(0), whole, train=False))
    variables = jax.tree.map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), variables)
    apply = jax.jit(lambda x: model.apply(variables, x, train=False))
    refused(error, words, apply, inputs)
    assert np.shape(apply(whole)) == (1, 2)


VIDEOS = pd.DataFrame({"subject": ["s"], "video": ["a"], "frames": [90]})
GOOD = dict(video="a", kind="ME", onset=5, offset=9)
WRONG = {
    "kind must be ME or MaE": dict(kind="micro"),
    "offset is before onset": dict(onset=9, offset=5),
    "onset and offset must be whole frames": dict(onset=np.nan),
    "index 1: onset and offset must be whole frames": dict(offset=9.5),
    "column 'kind' is missing": dict(kind=None),
}
TABLES = {
    "k_frame": k_frame,
    "duration_table": lambda table: duration_table(table, fps=30, inclusive=True),
    "move_to_neutral_ratio": lambda table: move_to_neutral_ratio(table, VIDEOS),
    "score_intervals": lambda table: score_intervals(table, labels(), videos=VIDEOS),
    "score_intervals, labels": lambda table: score_intervals(labels(), table, videos=["a"]),
}


def labels(**change):
    """Two rows, the second changed; a column that is None is left out."""
    table = pd.DataFrame([GOOD, GOOD | change])
    return table.drop(columns=[name for name, value in change.items() if value is None])


@pytest.mark.parametrize("call", TABLES.values(), ids=TABLES)
@pytest.mark.parametrize("words", WRONG)
def test_labels_that_nothing_can_be_counted_of_are_refused(call, words):
    call(labels())
    refused(UserError, words, call, labels(**WRONG[words]))


@pytest.mark.parametrize("call", TABLES.values(), ids=TABLES)
def test_what_is_no_table_of_labels_is_refused(call):
    line = refused(TypeError, " must be a ", call, [("a", "ME", 5, 9)])
    assert line.endswith(" not list")


def test_labels_before_the_first_frame_are_refused_where_frames_are_counted():
    early = labels(onset=0)
    assert k_frame(early)["ME"] > 0
    refused(UserError, "onset is before frame 1", move_to_neutral_ratio, early, VIDEOS)
    refused(UserError, "onset is before frame 1", score_intervals, early, early, videos=VIDEOS)


def test_k_of_a_mapping_takes_kinds_and_lists_of_frames():
    refused(ValueError, "kind must be one of ME, MaE, not 'micro'", k_frame, {"micro": [9]})
    refused(ValueError, "Did you mean 'MaE'?", k_frame, {"ME": [9], "Mae": [40]})
    refused(ValueError, "durations of ME must have one axis", k_frame, {"ME": 9})
    refused(ValueError, "durations of MaE must be numbers of frames", k_frame, {"MaE": [9, -1]})
    refused(ValueError, "durations of MaE must be numbers of frames", k_frame, {"MaE": ["9"]})


def test_videos_are_a_table_or_a_list_of_names():
    refused(TypeError, "the text 'a'", score_intervals, labels(), labels(), videos="a")
    refused(TypeError, "videos must be", move_to_neutral_ratio, labels(), ["a"])
    words = "videos: column 'frames' is missing"
    refused(UserError, words, move_to_neutral_ratio, labels(), VIDEOS[["subject", "video"]])


def test_intervals_to_match_are_whole_frames_from_1_in_order():
    refused(ValueError, "interval 1: offset 5 is before", match_intervals, [[1, 2], [9, 5]], [])
    refused(ValueError, "interval 0: offset 5 is before", match_intervals, [], [[9, 5]])
    refused(ValueError, "onset is before frame 1", match_intervals, [[0, 5]], [[1, 5]])
    refused(TypeError, "whole frames", match_intervals, [[1, 5]], [[1.0, 5.0]])
    refused(ValueError, "shape (n, 2), not (2,)", match_intervals, [1, 5], [[1, 5]])
    line = refused(ValueError, "matching must be", match_intervals, [], [], matching="megc2021")
    assert line.endswith("Did you mean 'megc2020'?")
    given = dict(videos=VIDEOS, matching="megc2021")
    assert refused(ValueError, "matching", score_intervals, labels(), labels(), **given) == line


def test_k_of_a_table_of_nullable_or_mixed_numbers():
    rows = labels(onset=15, offset=25)
    for dtype in ("Int64", "object", "float"):
        assert k_frame(rows.astype({"onset": dtype, "offset": dtype})) == {"ME": 4}


def test_what_is_found_becomes_what_is_matched():
    scores = np.zeros(30)
    scores[[0, 1, 2, 20]] = 1
    spans = find_intervals(scores, threshold=0.5)
    frames = np.column_stack(from_span(*spans.T))
    assert frames.tolist() == [[1, 3], [21, 21]]
    assert np.column_stack(to_span(*frames.T)).tolist() == spans.tolist() == [[0, 3], [20, 21]]
    assert (match_intervals(frames, [[1, 3], [21, 21]], iou=1).truth == [0, 1]).all()


def test_intervals_are_found_in_the_scores_of_one_kind():
    refused(ValueError, "one axis", find_intervals, np.zeros((30, 2)), threshold=0.5)
    refused(ValueError, "threshold must be one", find_intervals, np.zeros(30), threshold=(0.5, 0.5))
    words = "kind must be one of ME, MaE, not 'macro'"
    refused(ValueError, words, intervals_table, {"macro": [[1, 5]]}, np.zeros((30, 2)))


STILL = np.zeros((6, 16, 16), np.uint8)


@pytest.mark.parametrize(
    ("frames", "skips", "error", "words"),
    [
        (np.zeros((6, 16, 16, 1), np.uint8), [[2, 3]], ValueError, "not (6, 16, 16, 1)"),
        (np.zeros((16, 16), np.uint8), [[2, 3]], ValueError, "(frames, height, width), not (16, "),
        (STILL[:0], [[2, 3]], ValueError, "not (0, 16, 16)"),
        (np.zeros((6, 113, 113), np.uint8), [[2, 3]], ValueError, "113x113 pixels; height and"),
        (np.zeros((6, 16, 16, 3), np.uint8)[..., 0] / 255, [[2, 3]], TypeError, "not float64"),
        ("film.mp4", [[2, 3]], TypeError, "frames must be an array of uint8, 0..255, not str"),
        (STILL, [2, 3], ValueError, "skips must have the shape (networks, 2), not (2,)"),
        (STILL, [[2, 3, 4]], ValueError, "(networks, 2), not (1, 3)"),
        (STILL, [[2, 0]], ValueError, "a skip of 0 compares a frame with itself"),
        (STILL, [[2.0, 3.5]], TypeError, "skips must be whole frames, not float64"),
        (STILL, [[2, 3], [2, 3]], ValueError, "skips are those of 2 networks"),
    ],
)
def test_scoring_says_what_video_and_skips_it_wants(frames, skips, error, words):
    variables = {"params": {"weight": np.zeros((1, 4))}}
    refused(error, words, score_video, TWO, variables, frames, skips=skips)


def test_scoring_by_motion_wants_whole_cells():
    variables = {"params": {"weight": np.zeros((1, 4))}}
    call = lambda model: score_video(
        model, variables, np.zeros((6, 20, 20), np.uint8), skips=[[1, 2]]
    )
    refused(ValueError, "20x20 pixels; height and width must be multiples of 8", call, SEEN)


def test_augmentation_takes_bytes_of_one_sample():
    key = jax.random.key(0)
    refused(
        TypeError, "must be uint8, 0..255, not float32", augment, np.zeros((3, 16, 16), "f"), key
    )
    refused(
        ValueError, "one sample, not (2, 3, 16, 16)", augment, np.zeros((2, 3, 16, 16), "B"), key
    )
    refused(ValueError, "one sample, not (16, 16)", jax.jit(augment), np.zeros((16, 16), "B"), key)


@pytest.mark.parametrize(
    ("logits", "labels", "kinds", "words"),
    [
        ((5, 2), (2,), (0.1, 0.9), "(5, 2) and (2,)"),
        ((5,), (5,), (0.1, 0.9), "ME and MaE, not (5,) and (5,)"),
        ((5, 3), (5, 3), (0.1, 0.9), "(5, 3) and (5, 3)"),
        ((5, 2), (5, 2), 0.9, "kind_weights must be two, of ME and MaE, not 0.9"),
        ((5, 2), (5, 2), (0.1, 0.8, 0.1), "kind_weights must be two"),
    ],
)
def test_the_loss_takes_no_shapes_that_broadcast(logits, labels, kinds, words):
    loss = lambda x, y: weighted_bce(x, y, presence_weight=0.9, kind_weights=kinds)
    refused(ValueError, words, loss, np.zeros(logits, "f"), np.zeros(labels, "f"))
    refused(ValueError, words, jax.jit(loss), np.zeros(logits, "f"), np.zeros(labels, "f"))


def test_the_loss_takes_no_whole_numbers_for_logits():
    words = "logits must be float, not int32"
    refused(
        TypeError,
        words,
        weighted_bce,
        [[0, 1]],
        [[0, 1]],
        presence_weight=0.9,
        kind_weights=(0.1, 0.9),
    )


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    return open_bank(write_bank(tmp_path_factory.mktemp("calls") / "bank"))


def test_training_takes_a_bank_as_it_takes_its_pool(bank):
    folds = loso_folds(bank.videos.subject)[:1]
    training = Training(epochs=1, steps=1, batch=2, validation_batches=1)
    found, expected = (
        train_loso(source, folds, model=SEEN, training=training)
        for source in (bank, gather_pool(bank))
    )
    assert len(found.metrics) == 1 and found.metrics == expected.metrics
    jax.tree.map(np.testing.assert_array_equal, found.variables, expected.variables)


@pytest.mark.parametrize("name", ["path", "frames", "table"])
def test_training_takes_nothing_else(bank, name):
    given = {"path": bank.root, "frames": bank.frames("s1_1"), "table": bank.videos}[name]
    words = f"`open_bank(path)`, or its pool, from `gather_pool(bank)`; not {type(given).__name__}"
    folds = loso_folds(bank.videos.subject)
    refused(TypeError, words, train_loso, given, folds, model=TWO, training=Training())


def test_lists_will_do_where_tuples_are_kept():
    given = Training(skip_range_seconds=[[0.1, 0.2], [0.3, 0.4]], kind_weights=[0.5, 0.5])
    assert given == Training(skip_range_seconds=((0.1, 0.2), (0.3, 0.4)), kind_weights=(0.5, 0.5))
    assert hash(Augmentation(contrast=[0.5, 1.5])) == hash(Augmentation())
