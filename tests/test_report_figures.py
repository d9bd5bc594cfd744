"""Figures: their words are legible, and they show the numbers that they are given."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

from jaxspot.report.figures import figure4, loss_curves, roc_curves, save_figure, subject_bars
from jaxspot.report.strips import event_strip, face_grid

RNG = np.random.default_rng(0)
SPANS = pd.DataFrame(dict(kind=["ME", "MaE"], onset=[10, 50], offset=[19, 90]))


def score_curves(thresholds=(0.5, 0.6), gap=True, frames=150):
    raw = RNG.random((frames, 2))
    if gap:
        raw[20:30] = np.nan
    return figure4(
        raw, raw, fps=30, thresholds=thresholds, truth=SPANS, predicted=SPANS[:0], title="a_$b"
    )


def losses(folds):
    rows = [
        dict(subject=f"s{f}", epoch=e, train_loss=1 / e, validation_loss=1 + abs(e - 3))
        for f in range(folds)
        for e in range(1, 6)
    ]
    return loss_curves(pd.DataFrame(rows))


def bars(subjects):
    rows = [
        dict(subject=f"s{s}", kind=kind, f1=0.5, ground_truth=s, predictions=0)
        for s in range(subjects)
        for kind in ("ME", "MaE", "overall")
    ]
    return subject_bars(pd.DataFrame(rows))


def rocs():
    labels = RNG.random((200, 2)) < [0.3, 0.0]
    return roc_curves(RNG.random((200, 2)), labels, points={"ME": [0.5]})


FRAMES = RNG.integers(0, 255, (300, 8, 8)).astype(np.uint8)


def strip(onset=100, apex=104, offset=109, kind="ME"):
    """Figure, panels of frames and panels of differences, of an expression in noise."""
    labels = pd.DataFrame(dict(kind=[kind], onset=[onset], apex=[apex], offset=[offset]))
    figure = event_strip(kind, FRAMES, labels, title="One ME")
    panels = [axes for axes in figure.axes if axes.images]
    return figure, panels[: len(panels) // 2], panels[len(panels) // 2 :]


FIGURES = {
    "score curves": score_curves,
    "score curves, nothing found": lambda: score_curves((np.inf, np.inf), gap=False),
    "score curves without a score": lambda: figure4(
        np.full((9, 2), np.nan),
        np.full((9, 2), np.nan),
        fps=30,
        thresholds=(0.5, 0.5),
        truth=SPANS[:0],
        predicted=SPANS[:0],
        title="no face",
    ),
    "expression": lambda: strip()[0],
    "faces": lambda: face_grid({f"s{i}": FRAMES[i] for i in range(10)}, title="Subjects"),
    "one fold": lambda: losses(1),
    "thirty folds": lambda: losses(30),
    "bars": lambda: bars(25),
    "roc": rocs,
}


@pytest.mark.parametrize("name", FIGURES)
def test_words_lie_inside_the_figure_and_on_no_other(name):
    figure = FIGURES[name]()
    figure.draw_without_rendering()
    edge = figure.bbox.padded(1)
    words = drawn_words(figure)
    boxes = [t.get_window_extent() for t in words]
    for box, word in zip(boxes, words, strict=True):
        assert edge.x0 <= box.x0 and box.x1 <= edge.x1, word
        assert edge.y0 <= box.y0 and box.y1 <= edge.y1, word
    for i, box in enumerate(boxes):
        for other, word in zip(boxes[i + 1 :], words[i + 1 :], strict=True):
            assert not box.padded(-1.5).overlaps(other.padded(-1.5)), (words[i], word)


def drawn_words(figure):
    """All texts that are drawn: not those of hidden panels or of ticks past the limits."""
    unseen = []
    for axes in figure.axes:
        if not axes.get_visible():
            unseen += axes.findobj(Text)
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            for tick in axis.get_major_ticks():
                if not low <= tick.get_loc() <= high:
                    unseen += [tick.label1, tick.label2]
    unseen = set(map(id, unseen))
    texts = [t for t in figure.findobj(Text) if t.get_visible() and t.get_text().strip()]
    return [t for t in texts if id(t) not in unseen]


@pytest.mark.parametrize(
    "span, numbers",
    [
        ((100, 104, 109), "99 100onset 101 103 104apex 106 107 109offset"),
        ((1, 2, 3), "1onset 2apex 3offset"),
        ((250, 260, 400), "249 250onset 253 257 260apex 300"),
    ],
)
def test_a_strip_numbers_its_frames_and_shows_what_moved(span, numbers):
    """Frames count from 1; the difference is that from the frame before the onset."""
    _, above, below = strip(*span)
    titles = [axes.get_title().replace(" ", "") for axes in above]
    assert titles == numbers.split()
    shown = [int("".join(filter(str.isdigit, title))) - 1 for title in titles]
    for number, frame, difference in zip(shown, above, below, strict=True):
        np.testing.assert_array_equal(frame.images[0].get_array(), FRAMES[number])
        expected = FRAMES[number].astype(float) - FRAMES[shown[0]]
        np.testing.assert_array_equal(difference.images[0].get_array(), expected)
        low, high = difference.images[0].get_clim()
        assert low == -high and np.abs(expected).max() <= 1.1 * high


def test_a_strip_shows_the_expression_of_median_strength():
    frames = np.zeros((100, 4, 4), np.uint8)
    for apex, strength in ((10, 9), (30, 200), (50, 60)):
        frames[apex - 1] = strength
    labels = pd.DataFrame(
        dict(kind="ME", onset=[8, 28, 48], apex=[10, 30, 50], offset=[12, 32, 52])
    )
    figure = event_strip("ME", frames, labels, title="t")
    assert "50 apex" in [axes.get_title() for axes in figure.axes]


def test_every_face_of_a_grid_has_its_name():
    figure = face_grid({"a": FRAMES[0], "b": FRAMES[1]}, title="t")
    assert [axes.get_title() for axes in figure.axes] == ["a", "b"]
    np.testing.assert_array_equal(figure.axes[1].images[0].get_array(), FRAMES[1])


def test_an_f1_of_0_is_a_bar_and_a_kind_without_anything_is_none():
    rows = [
        dict(subject="s", kind=kind, f1=0.0, predictions=n, ground_truth=0)
        for kind, n in (("MaE", 0), ("ME", 3), ("overall", 3))
    ]
    axes = subject_bars(pd.DataFrame(rows)).axes[0]
    heights = [bar.get_height() for bar in axes.patches]
    assert np.isnan(heights[0]) and min(heights[1:]) > 0.01
    assert [text.get_text() for text in axes.texts] == ["-", "0", "0"]


@pytest.mark.parametrize("end", ["png", "svg"])
def test_a_figure_is_saved_whole_and_the_same_twice(tmp_path, end):
    first = save_figure(losses(3), tmp_path / f"new/a.{end}").read_bytes()
    second = save_figure(losses(3), tmp_path / f"new/b.{end}").read_bytes()
    assert first == second
    assert sorted(p.name for p in (tmp_path / "new").iterdir()) == [f"a.{end}", f"b.{end}"]
