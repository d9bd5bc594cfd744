from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

from jaxspot.report.figures import figure4, loss_curves, roc_curves, save_figure, subject_bars
from jaxspot.report.page import ReportPicture, ReportTable, write_report

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


@pytest.mark.parametrize("end", ["png", "svg"])
def test_a_figure_is_saved_whole_and_the_same_twice(tmp_path, end):
    first = save_figure(losses(3), tmp_path / f"new/a.{end}").read_bytes()
    second = save_figure(losses(3), tmp_path / f"new/b.{end}").read_bytes()
    assert first == second
    assert sorted(p.name for p in (tmp_path / "new").iterdir()) == [f"a.{end}", f"b.{end}"]


class Reader(HTMLParser):
    def __init__(self):
        super().__init__()
        self.links, self.words, self.open = [], [], []

    def handle_starttag(self, tag, attrs):
        self.links += [value for name, value in attrs if name in ("src", "href")]
        if tag not in ("meta", "img", "br", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def page(folder, **values):
    cells = pd.DataFrame([["jaxspot", "0.5000"], ["<b>&", "-"]], columns=["Method", "ME"])
    path = write_report(
        folder / "report.html",
        title="A run",
        dataset="synthetic",
        tables=[ReportTable("Table 5", cells, "a note")],
        **values,
    )
    reader = Reader()
    reader.feed(path.read_text())
    assert reader.open == []
    return path, reader.links, " ".join(" ".join(reader.words).split())


def test_a_page_stands_alone_and_says_what_it_is(tmp_path):
    picture = ReportPicture(save_figure(score_curves(), tmp_path / "figures/f4.png"), "Figure 4")
    scores = {"ME": dict(tp=3, predictions=12, precision=0.25)}
    path, links, words = page(
        tmp_path,
        pictures=[picture],
        scores=scores,
        synthetic=True,
        provenance={"seed": 3, "versions": {"jax": "0.10"}},
        summary=["5 < 6"],
    )
    assert [link[:22] for link in links] == ["data:image/png;base64,"]
    assert path.stat().st_size < 2_000_000
    for part in (
        "synthetic heads",
        "3 of 12 predicted micro-expression intervals were right (precision 0.25)",
        "a person must look",
        "nothing about emotion",
        '{"jax": "0.10"}',
        "<b>&",
        "5 < 6",
        "a note",
    ):
        assert part in words
    assert "oracle" not in words
    assert [p.name for p in tmp_path.iterdir() if p.is_file()] == ["report.html"]


def test_oracle_is_said_on_the_page(tmp_path):
    _, _, words = page(tmp_path, oracle=True)
    assert "oracle" in words
    assert "synthetic heads" not in words


def test_pictures_past_the_limit_are_linked(tmp_path):
    paths = [save_figure(losses(4), tmp_path / f"figures/{i}.png") for i in range(4)]
    pictures = [ReportPicture(path, f"Figure {i}") for i, path in enumerate(paths)]
    whole = page(tmp_path, pictures=pictures)[0].stat().st_size
    path, links, _ = page(tmp_path, pictures=pictures, limit=whole - 20)
    assert path.stat().st_size <= whole - 20
    assert [link[:5] for link in links] == ["data:", "data:", "data:", "figur"]
    assert (tmp_path / links[-1]).exists()
