"""Folders as `spot` writes them, with made-up curves, and a video of numbered pictures."""

import numpy as np
import pandas as pd
from video_files import encode

from jaxspot.files import write_table
from jaxspot.spotting.automated_iou import FittedRule, IntervalRule
from jaxspot.spotting.decision import Decision, write_decision

CHANCES = Decision(least_chance=(0.2, 0.3))
RULE = IntervalRule(normalisation="train_quantiles", cutoff_hz=(2.0, 1.0))
THRESHOLDS = Decision(rule=FittedRule(RULE, (0.1, 0.2), (0.8, 0.9), (0.5, 0.6), (0.5, 0.5)))
FOUND = [
    # kind, onset, apex, offset, score
    ("ME", 40, 44, 48, 0.81),
    ("MaE", 60, 75, 100, 0.45),
    ("ME", 130, 133, 137, 0.25),
    ("MaE", 131, 140, 170, 0.9),
]


def frame_times(frames, *, fps=30.0, seed=0):
    """Times in seconds of a file whose frame rate varies, in whole milliseconds."""
    steps = np.random.default_rng(seed).integers(700, 1300, frames) / fps
    return np.round(np.cumsum(steps) - steps[0]) / 1000


def frames_table(times, *, gap=(105, 120), seed=0):
    rng = np.random.default_rng(seed)
    frames = np.arange(1, len(times) + 1)
    lost = (frames >= gap[0]) & (frames <= gap[1])
    scores = np.abs(np.sin(frames[:, None] / [7, 23])) * rng.uniform(0.8, 1, (len(frames), 2))
    scores[lost] = np.nan
    face = pd.array(np.where(frames > gap[1], 1, 0), dtype="Int64")
    face[lost] = pd.NA
    return pd.DataFrame(
        dict(
            frame=frames,
            pts_s=times,
            face=face,
            success=(~lost).astype(int),
            confidence=np.where(lost, 0, 0.9),
            p_me=scores[:, 0].round(6),
            p_mae=scores[:, 1].round(6),
        )
    )


def found_table(times, found=FOUND, *, video="talk"):
    ends = np.append(times[1:], times[-1] + np.median(np.diff(times)))
    rows = [
        ("", video, 0 if onset < 105 else 1, kind, onset, apex, offset, score)
        for kind, onset, apex, offset, score in found
    ]
    columns = ["subject", "video", "face", "kind", "onset", "apex", "offset", "score"]
    table = pd.DataFrame(rows, columns=columns)
    table["rank"] = table.score.rank(ascending=False, method="first").astype(int)
    for name, at in (("onset", times), ("apex", times), ("offset", ends)):
        table[f"{name}_s"] = at[table[name].to_numpy(int) - 1].round(6)
    return table


def gray_of(frame):
    """The gray level of a frame of the video: far from that of the frames around it."""
    return (30 + 28 * (3 * np.asarray(frame) % 8)).astype(np.uint8)


def made_folder(root, *, decision=CHANCES, times=None, found=FOUND, name="talk", video=True):
    """ROOT/spotted/NAME/ with tables, and ROOT/NAME.mp4; returns the folder and the times."""
    times = frame_times(200) if times is None else times
    folder = root / "spotted" / name
    path = root / f"{name}.mp4"
    if video:
        root.mkdir(parents=True, exist_ok=True)
        pictures = np.repeat(gray_of(np.arange(1, len(times) + 1)), 64 * 64 * 3)
        pictures = pictures.reshape(len(times), 64, 64, 3)
        encode(path, pictures, times_ms=np.rint(times * 1000).astype(int).tolist())
    write_table(frames_table(times), folder / "frames.csv")
    write_table(found_table(times, found, video=name), folder / "intervals.csv")
    if decision is not None:
        write_decision(folder, decision, path)
    return folder, times
