"""What the views draw, and how they end."""

import io

import cv2
import numpy as np
import pytest

from jaxspot.live import terminal, window
from jaxspot.live.curves import BARS, PLAIN_BARS, bars, latest_latency_ms, recent
from jaxspot.live.latency import latency_line, latency_ms, missing_line
from jaxspot.live.record import Record, Row, Spent
from jaxspot.live.terminal import TerminalView, record_line
from jaxspot.live.watch import Shown
from jaxspot.live.window import STRIP, WIDTH, draw, strip
from jaxspot.video.decode import VideoFrame
from jaxspot.video.tracker import TrackedFrame

SPENT = Spent(0.001, 0.010, 0.002, 0.003)
IMAGE = np.full((120, 160, 3), 50, np.uint8)


def record_of(scores, missing=()):
    record = Record("made", 10.0)
    for number, score in enumerate(scores):
        gone = number in missing
        spent = None if gone else SPENT
        record.add(Row(number / 10, -1 if gone else 0, 0.9, score, score / 2, gone, spent))
    return record


def shown(record, landmarks=None):
    return Shown(TrackedFrame(VideoFrame(0.0, IMAGE), landmarks, None, 0.9, 0), record)


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True


def test_bars_show_the_highest_of_each_part():
    curve = np.array([0, 0.1, 1.0, 0, np.nan, np.nan, 0.5, np.nan])
    assert bars(curve, 4) == "▂█ ▅" and bars(curve, 4, PLAIN_BARS) == ".# ="
    assert bars(np.array([-1.0, 7.0]), 2) == "▁█"


def test_recent_scores_end_with_the_last_frame():
    found = recent(record_of([0.1, 0.2, 0.3]), 0.5)
    np.testing.assert_allclose(found[:, 0], [np.nan, np.nan, 0.1, 0.2, 0.3])
    assert recent(record_of(np.linspace(0, 1, 100)), 1.0)[-1].tolist() == [1.0, 0.5]


@pytest.mark.parametrize("width", [60, 79, 200])
def test_the_line_fits_the_terminal(width):
    line = record_line(record_of([0.2, 0.9, 0.4], missing={1}), width)
    assert len(line) <= width and "0.40" in line and "0.20" in line
    assert "16 ms" in line[-30:] or width == 60
    assert "missing" in line or width == 60


def test_a_terminal_redraws_one_line_and_q_ends(monkeypatch):
    monkeypatch.setattr(terminal, "REDRAW_S", 0.0)
    keys, out = iter(["", "x", "q"]), Terminal()
    view = TerminalView(out, lambda: next(keys))
    assert [view.show(shown(record_of([0.5]))) for _ in range(3)] == [True, True, False]
    view.close()
    assert out.getvalue().count("\r") == 3 and out.getvalue().count("\n") == 1
    assert any(sign in out.getvalue() for sign in BARS)


def test_a_file_gets_a_line_now_and_then_in_signs_it_can_hold():
    raw = io.BytesIO()
    view = TerminalView(io.TextIOWrapper(raw, encoding="ascii", write_through=True))
    assert all(view.show(shown(record_of([0.9]))) for _ in range(5))
    view.close()
    assert raw.getvalue().count(b"\n") == 1 and b"\r" not in raw.getvalue()


def test_a_curve_is_drawn_at_its_height_and_gaps_are_left_out():
    curve = np.full(200, 0.75)
    curve[100:150] = np.nan
    panel = strip(curve, "ME", (0, 0, 255))
    assert panel.shape == (STRIP, WIDTH, 3)
    red = (panel[..., 2] > 150) & (panel[..., 1] < 100)
    rows = np.flatnonzero(red[:, 200:300].any(1))
    assert abs(rows.mean() - (STRIP - 8 - 0.75 * (STRIP - 16))) < 1.5
    assert not red[:, 335:470].any() and red[:, 500:].any()


def test_the_window_holds_picture_box_and_both_curves():
    landmarks = np.array([[40, 30], [120, 100]], np.float32)
    found = draw(*shown(record_of([0.2, 0.9]), landmarks))
    assert found.shape == (480 + 2 * STRIP, WIDTH, 3) and found.dtype == np.uint8
    assert (found[120:400, 160] == 255).all() and (found[120, 160:480] == 255).all()
    assert (found[250, 300] == 50).all()


def test_the_window_ends_by_key_and_where_there_is_none_by_one_line(monkeypatch):
    drawn, keys = [], iter([-1, ord("q")])
    calls = dict(
        namedWindow=lambda *_: None,
        imshow=lambda _, image: drawn.append(image),
        waitKey=lambda _: next(keys),
        getWindowProperty=lambda *_: 1.0,
    )
    for name, call in calls.items():
        monkeypatch.setattr(window.cv2, name, call)
    monkeypatch.setattr(window, "REDRAW_S", 0.0)
    view = window.WindowView()
    assert [view.show(shown(record_of([0.5]))) for _ in range(2)] == [True, False]
    assert len(drawn) == 2

    def refuse(*_):
        raise cv2.error("no GUI")

    monkeypatch.setattr(window.cv2, "namedWindow", refuse)
    with pytest.raises(window.UserError, match="--terminal"):
        window.WindowView()


def test_a_display_is_what_the_system_says(monkeypatch):
    monkeypatch.setattr(window.sys, "platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    assert not window.has_display()
    monkeypatch.setenv("DISPLAY", ":0")
    assert window.has_display()


def test_latency_is_of_frames_with_scores():
    record = record_of([0.1, 0.2, np.nan, 0.3], missing={3})
    np.testing.assert_allclose(latency_ms(record.rows), [[1, 10, 2, 3]] * 2)
    assert latest_latency_ms(record) == pytest.approx(16)
    assert "median 16.0 ms, 95 % 16.0 ms (waiting 1.0, finding the face 10.0" in latency_line(
        record.rows
    )
    assert latency_line([]) == "latency: no frame has scores"


def test_missing_frames_are_told_with_their_cause():
    record = record_of([0.1] * 20, missing={3, 4, 9})
    record.dropped = 2
    line = missing_line(record)
    assert "20 frames, 2.0 s at 10 fps" in line and "3 missing: 2 dropped" in line
    assert "1 left out" in line and missing_line(record_of([0.1])).endswith("none missing")
