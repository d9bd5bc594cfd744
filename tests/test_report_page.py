"""The page of a run: what stands where, what it says, and that it fits a screen."""

import html
import re
import shutil
import subprocess
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from jaxspot.report.figures import save_figure
from jaxspot.report.page import ReportPicture, ReportTable, write_report
from jaxspot.report.provenance_groups import provenance_groups
from jaxspot.report.sentences import expected_precision, kind_sentences, result_sentence
from jaxspot.report.viewer import VideoCurves

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
RNG = np.random.default_rng(0)
SPANS = pd.DataFrame(dict(kind=["ME", "MaE"], onset=[10, 50], offset=[19, 90]))


def picture(folder, caption="Curves", *, inches=10.0, **options):
    """A figure of noise, as a page takes it."""
    figure = Figure(figsize=(inches, 3))
    figure.subplots().plot(RNG.random(500))
    return ReportPicture(save_figure(figure, folder / f"figures/{caption}.png"), caption, **options)


class Reader(HTMLParser):
    def __init__(self):
        super().__init__()
        self.links, self.sections, self.contents = [], [], []
        self.words, self.open = [], []

    def handle_starttag(self, tag, attrs):
        links = [value for name, value in attrs if name in ("src", "href")]
        self.contents += [link for link in links if link.startswith("#")]
        self.links += [link for link in links if not link.startswith("#")]
        self.sections += [dict(attrs)["id"]] if tag == "section" else []
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
    assert reader.contents == [f"#{name}" for name in reader.sections]
    return path, reader.links, " ".join(" ".join(reader.words).split())


def test_a_page_stands_alone_and_says_what_it_is(tmp_path):
    row = dict(tp=3, fp=9, predictions=12, ground_truth=7, f1=0.316, f1_low=0.12, f1_high=0.51)
    scores = {"ME": row, "overall": row}
    path, links, words = page(
        tmp_path,
        pictures=[picture(tmp_path)],
        scores=scores,
        minutes=4.5,
        control="Negative control: chance.",
        synthetic=True,
        provenance={"seed": 3, "versions": {"jax": "0.10"}, "command": ["a.py", "b c"]},
        summary=["5 < 6"],
    )
    assert [link[:22] for link in links] == ["data:image/webp;base64"]
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


def test_the_first_table_opens_the_page_and_the_others_follow_the_curves(tmp_path):
    cells = pd.DataFrame([["a", "0.50 [0.40, 0.60]"]], columns=["Method", "ME"])
    tables = [ReportTable(f"Table {n}. Name; data: d; protocol: p", cells) for n in (5, 4, 2)]
    curves = RNG.random((40, 2))
    video = VideoCurves("v", "s1", 30, curves, curves, (0.5, 0.5), SPANS[:1], SPANS[:1])
    path = write_report(
        tmp_path / "report.html",
        title="t",
        dataset="d",
        tables=tables,
        videos=[video],
        pictures=[picture(tmp_path)],
        summary=["In short."],
        provenance={"seed": 0},
    )
    text = path.read_text()
    order = (
        '<section id="result">',
        "Table 5. Name</h3>",
        '<section id="viewer">',
        '<section id="tables">',
        "Table 4. Name</h3>",
        "Table 2. Name</h3>",
        '<section id="figures">',
        '<section id="meaning">',
        '<section id="use">',
        '<section id="provenance">',
    )
    places = [text.index(part) for part in order]
    assert places == sorted(places)
    assert text.index('<a href="#provenance">') < places[0]
    assert "data: d; protocol: p" in text and "[0.40,\u00a00.60]" in text


def test_nothing_on_the_page_is_wider_than_a_phone(tmp_path):
    """Widths in pixels are few and small; a picture that must stay wide scrolls in its own box."""
    text = page(tmp_path, pictures=[picture(tmp_path)])[0].read_text()
    style = text[text.index("<style>") : text.index("</style>")]
    assert all(int(width) < 30 for width in re.findall(r"[{; ](?:min-)?width: (\d+)px", style))
    assert not re.search(r"main \{[^}]*max-width|body \{[^}]*max-width", style)
    assert re.findall(r"(<[^<]*)<img [^>]*min-width", text) == ['<div class="scroll">']
    assert "max-width: min(100%" in text and ".scroll { overflow-x: auto; }" in style


@pytest.mark.skipif(not CHROMIUM, reason="needs a browser")
@pytest.mark.parametrize("width", [400, 1920])
def test_the_page_fits_the_screen_in_a_browser(tmp_path, width):
    path = page(tmp_path, pictures=[picture(tmp_path)])[0]
    # In a frame, as a window of the browser has a least width of its own.
    frame = tmp_path / "frame.html"
    frame.write_text(
        f'<iframe srcdoc="{html.escape(path.read_text())}" width="{width}"></iframe><script>'
        'onload = () => { const box = document.querySelector("iframe").contentDocument.body;'
        "document.title = box.scrollWidth + ' ' + box.querySelector('main').clientWidth; };"
        "</script>"
    )
    flags = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'user'}"]
    run = subprocess.run(
        [CHROMIUM, *flags, "--dump-dom", frame.as_uri()], capture_output=True, text=True, timeout=60
    )
    assert run.returncode == 0, run.stderr
    whole, main = map(int, re.findall(r"<title>(\d+) (\d+)</title>", run.stdout)[0])
    assert whole <= width and main > 0.9 * width


def test_oracle_is_said_on_the_page(tmp_path):
    _, _, words = page(tmp_path, oracle=True)
    assert "oracle" in words
    assert "synthetic heads" not in words and "recorded faces" in words
    assert "oracle: the frame skip was" in page(tmp_path, oracle="the frame skip")[2]


def test_with_curves_a_page_stands_alone_and_its_figure_4_is_for_paper(tmp_path):
    curves = RNG.random((40, 2))
    video = VideoCurves("v</script>", "s1", 30, curves, curves, (0.5, 0.5), SPANS[:1], SPANS[:1])
    path, links, words = page(tmp_path, pictures=[picture(tmp_path, printed=True)], videos=[video])
    assert [link[:5] for link in links] == ["data:"]
    text = path.read_text()
    assert '<figure class="printed"' in text and ".printed { display: none; }" in text
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
    pictures = [picture(tmp_path, f"Figure {i}") for i in range(4)]
    whole = page(tmp_path, pictures=pictures)[0].stat().st_size
    path, links, _ = page(tmp_path, pictures=pictures, limit=whole - 20)
    assert path.stat().st_size <= whole - 20
    assert [link[:5] for link in links] == ["data:", "data:", "data:", "figur"]
    assert (tmp_path / links[-1]).exists()
