"""A frame rate that was named for a video whose file, or table, has times of its own."""

import numpy as np
import pandas as pd
import pytest
from prepare_calls import CSV, call
from release_trees import write_images
from video_files import encode, noise

from jaxspot.commands import doctor
from jaxspot.datasets.doctor import doctor_bank, doctor_source
from jaxspot.datasets.folders import csv_source, openface_source
from jaxspot.datasets.rates import own_times, say_rate
from jaxspot.video.bank import open_bank
from jaxspot.video.decode import read_video

EVEN = [round(1000 * number / 30) for number in range(30)]
UNEVEN = [time + 300 * (number > 9) + 12 * (number % 4 == 2) for number, time in enumerate(EVEN)]
GAP = [time + 5000 * (number > 11) for number, time in enumerate(EVEN)]


def source(root, times_ms, fps, *, onset=0.5, offset=0.7):
    """A video `in/talk.mkv`, labelled in seconds as a player gives them."""
    (root / "in").mkdir(parents=True)
    encode(root / "in" / "talk.mkv", noise(len(times_ms)), times_ms=times_ms)
    (root / "in" / "videos.csv").write_text(f"{CSV}p,talk,talk.mkv,{fps}\n")
    row = f"MaE\t\t{onset:.3f}\t{offset:.3f}\t{offset - onset:.3f}\tx\ttalk.eaf\n"
    (root / "in" / "elan.txt").write_text(row)
    return root / "in"


def prepared(root, times_ms, fps):
    made = source(root, times_ms, fps)
    assert call("csv", made, root / "bank", f"--labels={made / 'elan.txt'}") == 0
    return open_bank(root / "bank")


@pytest.mark.parametrize("times_ms", [EVEN, UNEVEN])
@pytest.mark.parametrize("fps", ["", 25, 29.97, 30, 200])
def test_seconds_are_those_of_the_file_whatever_its_rate_is_named(tmp_path, times_ms, fps, capsys):
    bank = prepared(tmp_path, times_ms, fps)
    starts = np.array([frame.pts_s for frame in read_video(tmp_path / "in" / "talk.mkv")])
    ends = np.append(starts[1:], starts[-1] + 1 / 30)
    row = bank.annotations.iloc[0]
    assert row.onset == abs(starts - 0.5).argmin() + 1
    assert row.offset == abs(ends - 0.7).argmin() + 1
    assert bank.videos.fps[0] == pytest.approx(fps or 30, rel=1e-3)
    told = "talk.mkv: plays 30 frames a second, counted as" in capsys.readouterr().out
    assert told == (fps in (25, 200))


def test_doctor_is_not_content_with_a_rate_that_the_file_contradicts(tmp_path, capsys):
    for fps, verdicts in ((25, ["differs"]), (30, []), ("", [])):
        made = source(tmp_path / f"rate{fps}", EVEN, fps)
        labels = made / "elan.txt"
        checks = doctor_source(csv_source(made, labels=labels), progress=False)
        found = [check for check in checks if check.what == "other rates than the files'"]
        assert [check.verdict for check in found] == verdicts
        words = ["--dataset=csv", f"--source={made}", f"--labels={labels}"]
        assert doctor.main(words) == len(verdicts)


def test_a_named_rate_does_not_hide_that_the_rate_varies(tmp_path, capsys):
    shares = {}
    for fps in ("", 30, 200):
        root = tmp_path / f"rate{fps}"
        details = prepared(root, UNEVEN, fps).meta["source"]["videos"]
        shares[fps] = details["talk"]["uneven"]
        told = (
            f"talk: frame rate varies ({shares[fps]:.0%} of its frames" in capsys.readouterr().out
        )
        verdicts = [c.verdict for c in doctor_bank(root / "bank") if "varying" in c.what]
        assert told == (fps != 200) and verdicts == ["differs"] * told
    by_hand = abs(np.diff(UNEVEN) - 1000 / 30) > 0.25 * 1000 / 30 + 1  # milliseconds
    assert shares[30] == shares[""] == pytest.approx(by_hand.mean(), abs=1e-3)
    assert shares[200] == 0  # a player's times say nothing of when it was filmed


def test_a_rate_that_varies_a_little_is_no_matter(tmp_path, capsys):
    prepared(tmp_path, [time + 20 * (number == 9) for number, time in enumerate(EVEN)], "")
    assert "rate varies" not in capsys.readouterr().out
    (found,) = [check for check in doctor_bank(tmp_path / "bank") if "varying" in check.what]
    assert found.verdict == ""


@pytest.mark.parametrize("fps", ["", 30])
def test_a_gap_is_refused_where_the_rate_is_that_of_the_file(tmp_path, fps, capsys):
    made = source(tmp_path, GAP, fps)
    assert call("csv", made, tmp_path / "bank") == 2
    assert "has no frame from 0.37 s to 5.40 s (frame 13)" in capsys.readouterr().err


def test_a_gap_of_a_player_is_none_where_it_was_filmed_faster(tmp_path):
    made = source(tmp_path, GAP, 200)
    assert call("csv", made, tmp_path / "bank") == 0


def test_lost_frames_and_broken_times_raise_no_doubt(tmp_path):
    lost = [time for number, time in enumerate(EVEN) if number % 5 != 3]
    path = encode(tmp_path / "lost.mkv", noise(len(lost)), times_ms=lost)
    assert say_rate(path, 30) == []
    encode(tmp_path / "once.ts", noise(12))
    joined = tmp_path / "joined.ts"
    joined.write_bytes((tmp_path / "once.ts").read_bytes() * 2)
    assert own_times(joined) is None
    (tmp_path / "videos.csv").write_text(f"{CSV}p,joined,joined.ts,30\n")
    (tmp_path / "elan.txt").write_text("MaE\t\t0.500\t0.700\t0.200\tx\tjoined.eaf\n")
    made = csv_source(tmp_path, labels=tmp_path / "elan.txt")
    assert made.labels.annotations[["onset", "offset"]].values.tolist() == [[16, 21]]


@pytest.mark.parametrize("fps, told", [(200, True), (30, False), (29.97, False)])
def test_a_rate_beside_the_time_stamps_of_openface_is_told(tmp_path, capsys, fps, told):
    faces = np.full((6, 112, 112), 90, np.uint8)
    write_images(tmp_path / "v_aligned", faces, "frame_det_00_{:06d}.bmp".format)
    frames = np.arange(6)
    table = dict(frame=frames + 1, timestamp=(frames / 30).round(3), confidence=1, success=1)
    pd.DataFrame(table).to_csv(tmp_path / "v.csv", index=False)
    line = f"{tmp_path / 'v.csv'}: its time stamps are those of 30 frames a second, counted as"
    assert call("openface", tmp_path, tmp_path / "bank", f"--fps={fps}") == 0
    assert (line in capsys.readouterr().out) == told
    pd.DataFrame(table | dict(timestamp=0)).to_csv(tmp_path / "v.csv", index=False)
    assert openface_source(tmp_path, fps=fps).rates == ()


@pytest.mark.parametrize("flag, code", [("--fps=30", 2), ("--fps=29.97", 2), ("--fps=200", 0)])
def test_a_gap_in_time_stamps_of_the_named_rate_is_refused(tmp_path, capsys, flag, code):
    faces = np.full((12, 112, 112), 90, np.uint8)
    write_images(tmp_path / "v_aligned", faces, "frame_det_00_{:06d}.bmp".format)
    frames = np.arange(12)
    stamps = (frames / 30 + 5 * (frames > 5)).round(3)
    table = dict(frame=frames + 1, timestamp=stamps, confidence=1, success=1)
    pd.DataFrame(table).to_csv(tmp_path / "v.csv", index=False)
    assert call("openface", tmp_path, tmp_path / "bank", flag) == code
    told = capsys.readouterr()
    assert ("has no frame from 0.17 s to 5.20 s (frame 7)" in told.err) == bool(code)
    assert ("are those of 30 frames a second, counted as 200" in told.out) == (not code)
