"""The viewer's data say what the arrays say, in few bytes; the page shows them in a browser."""

import base64
import json
import re
import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jaxspot.annotations.intervals import KINDS
from jaxspot.evaluation.f1 import score_intervals
from jaxspot.report.page import write_report
from jaxspot.report.viewer import (
    VideoCurves,
    describe_video,
    quantise,
    reduce_curve,
    value_range,
    viewer_json,
)

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")


def intervals(rng, frames, count):
    onset = rng.integers(1, frames - 20, count)
    kind = rng.choice(KINDS, count)
    rows = dict(video="v", kind=kind, onset=onset, offset=onset + rng.integers(3, 20, count))
    return pd.DataFrame(rows)


def made_up(frames=500, *, name="v", fps=30.0, seed=0, gap=(100, 130)):
    rng = np.random.default_rng(seed)
    raw = rng.normal(size=(frames, 2))
    raw[slice(*gap)] = np.nan
    truth = intervals(rng, frames, 12)
    predicted = pd.concat([truth[:5].assign(onset=truth.onset + 1), intervals(rng, frames, 9)])
    return VideoCurves(name, "s1", fps, raw, raw / 2, (0.5, np.inf), truth, predicted)


def decode(kind, name, columns):
    """Lowest and highest values (2, columns) of a curve of the JSON."""
    codes = np.frombuffer(base64.b64decode(kind[name]), np.uint8).reshape(2, columns)
    values = kind["low"] + codes * (kind["high"] - kind["low"]) / 254
    return np.where(codes == 255, np.nan, values)


@given(st.integers(1, 300), st.integers(1, 300), st.integers(0, 10**6))
@settings(deadline=None, max_examples=60)
def test_reduction_is_the_extremes_of_each_column(frames, columns, seed):
    columns = min(columns, frames)
    rng = np.random.default_rng(seed)
    curve = np.where(rng.random(frames) < 0.3, np.nan, rng.normal(size=frames))
    column = np.array(
        [max(c for c in range(columns) if c * frames // columns <= f) for f in range(frames)]
    )
    table = pd.DataFrame(dict(column=column, value=curve)).groupby("column").value
    low, high = reduce_curve(curve, columns)
    np.testing.assert_array_equal(low, table.min())
    np.testing.assert_array_equal(high, table.max())


@pytest.mark.parametrize("columns", [64, 333, 500, 1500])
def test_decoding_gives_the_reduced_curves_back(columns):
    video = made_up()
    told = json.loads(json.dumps(describe_video(video, columns=columns)))
    assert told["columns"] == min(columns, 500)
    for i, kind in enumerate(told["kinds"]):
        step = (kind["high"] - kind["low"]) / 255
        for name, curve in (("raw", video.raw), ("smooth", video.smoothed)):
            values = decode(kind, name, told["columns"])
            expected = reduce_curve(curve[:, i], told["columns"])
            np.testing.assert_array_equal(np.isnan(values), np.isnan(expected))
            assert np.nanmax(np.abs(values - expected)) <= step
            assert abs(np.nanmax(values) - np.nanmax(curve[:, i])) <= step
            assert abs(np.nanmin(values) - np.nanmin(curve[:, i])) <= step


def test_bytes_reach_both_ends_and_mark_what_is_missing():
    values = np.array([-2.0, 0.0, 2.0, np.nan])
    assert quantise(values, -2, 2).tolist() == [0, 127, 254, 255]
    assert value_range(np.array([np.nan])) == (0, 1)
    assert value_range(np.array([3.0, np.nan, 3.0])) == (3, 4)


def test_gaps_thresholds_and_time_are_told():
    video = made_up(fps=29.97)
    raw = video.raw.copy()
    raw[7] = raw[-1] = np.nan
    raw[9, 0] = np.nan
    told = describe_video(video._replace(raw=raw), columns=100)
    assert told["gaps"] == [[8, 8], [101, 130], [500, 500]]
    assert [kind["threshold"] for kind in told["kinds"]] == [0.5, None]
    assert (told["frames"], told["fps"], told["name"], told["subject"]) == (500, 29.97, "v", "s1")


@pytest.mark.parametrize("protocol", ["one_to_one", "megc2020"])
def test_counts_are_the_scorers(protocol):
    video = made_up(seed=3)
    rule = dict(matching=protocol, iou=0.4)
    scores = score_intervals(video.predicted, video.truth, videos=["v"], **rule)
    for kind, told in zip(KINDS, describe_video(video, columns=64, **rule)["kinds"], strict=True):
        row = scores[kind]
        assert told["labels"] == row["ground_truth"] == len(told["truth"])
        assert told["found"] == row["tp"] == sum(hit for _, _, hit in told["truth"])
        assert told["predictions"] == row["predictions"] == len(told["predicted"])
        assert told["false"] == row["fp"] == sum(not hit for _, _, hit in told["predicted"])
        rows = video.truth.loc[video.truth.kind == kind, ["onset", "offset"]].to_numpy()
        assert [span[:2] for span in told["truth"]] == rows.tolist()


def test_a_video_without_a_score_a_label_and_a_prediction():
    empty = pd.DataFrame(dict(video=[], kind=[], onset=[], offset=[]))
    nothing = np.full((5, 2), np.nan)
    video = VideoCurves("v", "s", 30, nothing, nothing, (0.5, 0.5), empty, empty)
    told = describe_video(video, columns=64)
    assert told["gaps"] == [[1, 5]] and told["columns"] == 5
    assert set(base64.b64decode(told["kinds"][0]["raw"])) == {255}


def test_a_large_data_set_fits():
    """As many videos and frames as SAMM-LV has; the page with them stays under 2 MB."""
    frames = np.full(147, 482_797 // 147)
    frames[: 482_797 % 147] += 1
    videos = [made_up(n, name=f"v{i}", fps=200, seed=i) for i, n in enumerate(frames.tolist())]
    room = 1_100_000
    text = viewer_json(videos, room=room)
    assert 0.97 * room < len(text) <= room
    told = json.loads(text)
    assert sum(video["frames"] for video in told) == 482_797
    assert min(video["columns"] for video in told) > 500
    assert max(v["columns"] for v in json.loads(viewer_json(videos[:9], room=room))) == 1500
    few = json.loads(viewer_json(videos[:2], room=0))
    assert [video["columns"] for video in few] == [64, 64]


def test_a_name_cannot_end_the_script():
    name = "</script><b>&amp;"
    text = viewer_json([made_up(name=name)], room=10_000)
    assert "<" not in text and json.loads(text)[0]["name"] == name


@pytest.mark.skipif(not CHROMIUM, reason="needs a browser")
def test_the_page_leafs_and_reads_in_a_browser(tmp_path):
    videos = [made_up(name="a<b"), made_up(1000, name="second", seed=1)]
    path = write_report(tmp_path / "r.html", title="t", dataset="d", videos=videos, limit=90_000)
    act = """<script>
    const press = key => document.dispatchEvent(new KeyboardEvent("keydown", {key}));
    press("ArrowLeft");
    const canvas = document.querySelector("canvas"), box = canvas.getBoundingClientRect();
    const clientX = box.x + 86 + (box.width - 100) * 399.5 / 1000;
    canvas.dispatchEvent(new PointerEvent("pointermove", {clientX, clientY: box.y + 9}));
    </script></body>"""
    path.write_text(path.read_text().replace("</body>", act))
    flags = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'user'}"]
    run = subprocess.run(
        [CHROMIUM, *flags, "--dump-dom", path.as_uri()], capture_output=True, text=True, timeout=60
    )
    assert run.returncode == 0, run.stderr
    dom = run.stdout
    options = re.findall("<option>(.*?)</option>", dom)
    assert [text.split(" (")[0] for text in options] == ["a&lt;b", "second"]
    kinds = describe_video(videos[1], columns=64)["kinds"]
    names = ("labels", "found", "predictions", "false")
    rows = re.findall('<th scope="row">(ME|MaE)</th>' + "<td>(.*?)</td>" * 4, dom)
    expected = [(k, *(str(t[n]) for n in names)) for k, t in zip(KINDS, kinds, strict=True)]
    assert rows == expected
    (readout,) = re.findall('class="readout".*?>(.*?)</p>', dom)
    assert readout.startswith("frame 400, 13.300 s")
    told = re.findall("smoothed (.*?), before (.*?)[,.] ", readout + " ")
    for pair, i in zip(told, range(2), strict=True):
        for text, curve in zip(pair, (videos[1].smoothed, videos[1].raw), strict=True):
            assert float(text.split(" to ")[0].replace("\u2212", "-")) <= curve[399, i] + 0.03
            assert float(text.split(" to ")[-1].replace("\u2212", "-")) >= curve[399, i] - 0.03
    for words in ("threshold 0.50", "no threshold", "score before smoothing", "no score: no face"):
        assert words in dom
