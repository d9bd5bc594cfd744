"""`scores.png` and `overlay.mp4`: what they show, and when."""

import av
import numpy as np
import pandas as pd
import pytest
from two_heads import two_heads
from video_files import encode

from jaxspot.own_video.overlay import write_overlay
from jaxspot.report.clip_plot import _thinned, draw_spotted, plot_spotted
from jaxspot.spotting.video_file import FaceCurves, Spotted, clip_intervals, in_seconds, ranked
from jaxspot.video.decode import VideoFrame, read_video
from jaxspot.video.source import Source, as_source


def spotted(count, fps, *, spans=(), gap=(), faces=1, threshold=None, name="talk"):
    """A made-up result: each of `faces` has the same curves and `spans` (kind, onset, offset)."""
    times = np.arange(count) / fps
    curve = 0.5 + 0.4 * np.sin(times * 3)
    tables, shown = [], []
    for number in range(faces):
        seen = np.full(count, number)
        seen[slice(*gap) if gap else slice(0)] = -1
        scores = np.where(seen[:, None] >= 0, np.stack([curve, 1 - curve], 1), np.nan)
        boxes = np.tile(np.float32([20 + 200 * number, 30, 120 + 200 * number, 150]), (count, 1))
        shown.append(FaceCurves(0, seen, boxes, scores, scores * 0.9))
        rows = [dict(kind=k, onset=a, apex=(a + b) // 2, offset=b, score=0.42) for k, a, b in spans]
        tables.append(clip_intervals(pd.DataFrame(rows), seen))
    table = ranked(pd.concat(tables).assign(subject="", video=name))
    return Spotted(name, times, pd.DataFrame(), in_seconds(table, times), shown, threshold)


def test_panels_share_0_to_1_and_say_what_was_found():
    found = spotted(150, 30, spans=[("ME", 31, 40), ("MaE", 61, 110)], gap=(120, 140))
    micro, macro = draw_spotted(found).axes
    for axes, kind in ((micro, "ME"), (macro, "MaE")):
        assert axes.get_ylim() == (0, 1) and axes.get_xlim() == pytest.approx((0, 5))
        assert axes.get_ylabel() == kind
        assert [text.get_text() for text in axes.texts] == [".42"], "the chance"
        filled = [patch for patch in axes.patches if not patch.get_hatch()]
        (hatched,) = [patch for patch in axes.patches if patch.get_hatch()]
        assert len(filled) == 1 and hatched.get_x() == pytest.approx(4)
        assert hatched.get_width() == pytest.approx(20 / 30)
    (box,) = [patch for patch in micro.patches if not patch.get_hatch()]
    assert box.get_x() == pytest.approx(1)
    raw, smooth = micro.lines[:2]
    np.testing.assert_array_equal(raw.get_ydata(), found.curves[0].scores[:, 0])
    np.testing.assert_array_equal(smooth.get_ydata(), found.curves[0].smooth[:, 0])
    assert raw.get_alpha() < 1 and macro.get_xlabel() == "time (s)"


def test_a_threshold_is_a_line_and_no_chance_is_written():
    found = spotted(150, 30, spans=[("ME", 31, 40)], threshold=(0.4, 0.6))
    for axes, height in zip(draw_spotted(found).axes, (0.4, 0.6), strict=True):
        (line,) = [line for line in axes.lines if line.get_linestyle() == "--"]
        assert set(line.get_ydata()) == {height}
        assert not axes.texts


def test_long_videos_take_rows_and_faces_blocks(tmp_path):
    half_hour = spotted(54_000, 30, spans=[("ME", 40_001, 40_006)])
    figure = draw_spotted(half_hour)
    assert len(figure.axes) == 20 and all(len(a.lines[0].get_xdata()) < 3000 for a in figure.axes)
    spans = [axes.get_xlim() for axes in figure.axes[::2]]
    assert spans[0][0] == 0 and spans[-1][1] == pytest.approx(1800)
    (marked,) = [axes for axes in figure.axes if axes.texts]
    (box,) = marked.patches
    assert box.get_width() >= 0.17, "a micro-expression is wide enough to be seen"
    assert marked.get_xlim()[0] < 40_000 / 30 < marked.get_xlim()[1]
    assert len(draw_spotted(spotted(40_000, 0.5)).axes) == 80, "22 hours"
    assert len(draw_spotted(spotted(60, 30, faces=3)).axes) == 6
    assert len(draw_spotted(spotted(60, 30, faces=6)).axes) == 8
    nobody = spotted(60, 30)._replace(curves=[])
    plot_spotted(nobody._replace(video="$\\frac 笑"), tmp_path / "scores.png")
    assert (tmp_path / "scores.png").read_bytes()[:4] == b"\x89PNG"


def test_a_thinned_curve_keeps_its_peaks_and_gaps():
    times, values = np.arange(50_000) / 30, np.random.default_rng(0).random(50_000)
    values[12_345], values[30_000:34_000] = 5, np.nan
    at, thin = _thinned(times, values)
    assert len(at) < 3000 and np.nanmax(thin) == 5 and (np.diff(at) >= 0).all()
    assert at[np.nanargmax(thin)] == times[12_345]
    inside = (at > times[30_100]) & (at < times[33_900])
    assert inside.any() and np.isnan(thin[inside]).all()


def raw_times(path):
    """Presentation times by the packets alone, from the first on."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        times = [p.pts * stream.time_base for p in container.demux(stream) if p.pts is not None]
    return np.array(sorted(map(float, times)))


def test_an_overlay_keeps_the_times_and_the_picture(tmp_path):
    times_ms = [0, 33, 66, 150, 180, 260, 300, 333, 500, 540, 560, 600]
    images = two_heads([((60.0, 40.0), (320.0, 40.0))] * 12)
    path = encode(tmp_path / "v.mp4", images, times_ms=times_ms, crf="10")
    found = spotted(12, 30, spans=[("ME", 3, 6)], faces=2)
    found = found._replace(times=np.array(times_ms) / 1000)
    write_overlay(found, as_source(path), tmp_path / "overlay.mp4")
    np.testing.assert_allclose(raw_times(tmp_path / "overlay.mp4"), raw_times(path), atol=1e-4)
    shown = [frame.image for frame in read_video(tmp_path / "overlay.mp4")]
    height, width = images[0].shape[:2]
    assert len(shown) == 12 and shown[0].shape[0] > height and shown[0].shape[1] == width
    plain = np.abs(shown[0][160:height, :width].astype(float) - images[0][160:])
    assert plain.mean() < 4, "away from the boxes it is the picture"
    box = lambda image: image[90, 18:23].astype(int)
    colourful = lambda image: np.ptp(box(image), axis=1).max()
    assert colourful(shown[3]) > 60 > colourful(shown[9]), "coloured inside the interval alone"


def test_an_overlay_of_odd_and_lost_pictures(tmp_path):
    frames = [VideoFrame(n / 10, np.full((61, 401, 3), 200, np.uint8)) for n in range(4)]
    frames[2] = VideoFrame(0.2, None)
    found = spotted(4, 10, faces=1)
    write_overlay(found, Source("v", 4, lambda: frames), tmp_path / "o.mp4")
    shown = [frame.image for frame in read_video(tmp_path / "o.mp4")]
    assert len(shown) == 4 and not any(side % 2 for side in shown[0].shape[:2])
    assert shown[1][5, 300].mean() > 150 > 60 > shown[2][5, 300].mean()
