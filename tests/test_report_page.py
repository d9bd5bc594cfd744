from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

from jaxspot.report.figures import figure4, loss_curves, roc_curves, save_figure, subject_bars
from jaxspot.report.page import ReportPicture, ReportTable, write_report
from jaxspot.report.provenance_groups import provenance_groups
from jaxspot.report.sentences import expected_precision, kind_sentences, result_sentence
from jaxspot.report.viewer import VideoCurves

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
    row = dict(tp=3, fp=9, predictions=12, ground_truth=7, f1=0.316, f1_low=0.12, f1_high=0.51)
    scores = {"ME": row, "overall": row}
    path, links, words = page(
        tmp_path,
        pictures=[picture],
        scores=scores,
        minutes=4.5,
        control="Negative control: chance.",
        synthetic=True,
        provenance={"seed": 3, "versions": {"jax": "0.10"}, "command": ["a.py", "b c"]},
        summary=["5 < 6"],
    )
    assert [link[:22] for link in links] == ["data:image/png;base64,"]
    assert path.stat().st_size < 2_000_000
    for part in (
        "synthetic heads",
        "0.32 [0.12, 0.51] (95 % interval over subjects): 3 of 7 labels were found, 9 predictions"
        " were false, 2.0 a minute.",
        "Expected precision: 25 of 100 predictions were right on these data",
        "(micro-expressions: 25)",
        "Micro-expressions: F1 0.32 [0.12, 0.51], 3 of 7 labels found",
        "Negative control: chance.",
        "nothing was chosen on test data",
        "a person must look",
        "nothing about emotion",
        "versions jax 0.10",
        "a.py 'b c'",
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
    assert "synthetic heads" not in words and "recorded faces" in words
    assert "oracle: the frame skip was" in page(tmp_path, oracle="the frame skip")[2]


def test_with_curves_a_page_stands_alone_and_its_figure_4_is_for_paper(tmp_path):
    picture = ReportPicture(save_figure(bars(2), tmp_path / "f.png"), "Figure 4", printed=True)
    curves = RNG.random((40, 2))
    video = VideoCurves("v</script>", "s1", 30, curves, curves, (0.5, 0.5), SPANS[:1], SPANS[:1])
    path, links, words = page(tmp_path, pictures=[picture], videos=[video])
    assert [link[:5] for link in links] == ["data:"]
    text = path.read_text()
    assert '<figure class="printed">' in text and ".printed { display: none; }" in text
    assert "http" not in text
    assert "smoothed score" in words and '"found":1' in words
    assert "viewer-data" not in page(tmp_path)[0].read_text()


def test_what_cannot_be_said_is_left_out():
    none = dict(tp=0, fp=0, predictions=0, ground_truth=4, f1=0.0)
    assert expected_precision({"overall": none, "ME": none}) == ""
    assert "interval" not in result_sentence({"overall": none})
    assert "minute" not in result_sentence({"overall": none})
    assert result_sentence({"ME": none}) == "" and kind_sentences({}) == []
    rare = dict(tp=1, fp=249, predictions=250, ground_truth=4, f1=0.01)
    assert "0.4 of 100" in expected_precision({"overall": rare})
    several = dict(tp=5, fp=1, predictions=3, ground_truth=5, f1=1.25)
    assert "67 of 100" in expected_precision({"overall": several}), "megc2020 counts labels as tp"


def test_provenance_is_groups_of_plain_rows():
    nested = dict(seed=0, flags="", bank=dict(sha256="ab", source=dict(fps=[25, 30])), ok=True)
    assert provenance_groups(nested | dict(resumed=[dict(git_revision=None)])) == [
        ("run", [("seed", "0"), ("flags", "none"), ("ok", "yes")]),
        ("bank", [("sha256", "ab")]),
        ("source", [("fps", "25, 30")]),
        ("resumed 1", [("git revision", "none")]),
    ]
    assert provenance_groups({}) == []


def test_pictures_past_the_limit_are_linked(tmp_path):
    paths = [save_figure(losses(4), tmp_path / f"figures/{i}.png") for i in range(4)]
    pictures = [ReportPicture(path, f"Figure {i}") for i, path in enumerate(paths)]
    whole = page(tmp_path, pictures=pictures)[0].stat().st_size
    path, links, _ = page(tmp_path, pictures=pictures, limit=whole - 20)
    assert path.stat().st_size <= whole - 20
    assert [link[:5] for link in links] == ["data:", "data:", "data:", "figur"]
    assert (tmp_path / links[-1]).exists()
