"""Made-up clips and a made-up benchmark for the tests of `jaxspot.faces`."""

import cv2
import numpy as np
import pandas as pd

from jaxspot.faces.benchmark import Benchmark
from jaxspot.faces.measures import NAMES
from jaxspot.faces.takes import write_video
from jaxspot.synthetic.heads import load_heads

FPS = 15.0


def head_pictures(frames=10, head=0):
    """A head at rest that shifts a little: uint8 (240, 320, 3) pictures."""
    rng = np.random.default_rng(0)
    face = cv2.resize(load_heads().person(head).neutral, None, fx=1.6, fy=1.6)
    pictures = []
    for frame in range(frames):
        shift = np.array([[1, 0, 45 + 0.3 * frame], [0, 1, 5]])
        gray = cv2.warpAffine(face, shift, (320, 240), borderMode=cv2.BORDER_REPLICATE)
        gray = np.clip(gray + rng.normal(0, 1, gray.shape), 0, 255).astype(np.uint8)
        pictures.append(np.repeat(gray[..., None], 3, 2))
    return pictures


def head_clip(path, **picture):
    """Writes `head_pictures` as a video file."""
    write_video(path, head_pictures(**picture), FPS)
    return path


def made_up(root):
    """Two people, each with an injected, a resampled and an untouched video of 300 frames."""
    rows, labels = [], []
    for person in ("a", "b"):
        for take in ("injected", "resampled", "untouched"):
            stratum = "still" if person == "a" else "speech"
            rows.append((f"{person}-{take}", person, stratum, take, 300, 30.0, "none.mp4"))
        labels.append((person, f"{person}-injected", "ME", 11, 15, 20))
        labels.append((person, f"{person}-injected", "MaE", 101, 120, 160))
    columns = ["video", "person", "stratum", "take", "frames", "fps", "path"]
    videos = pd.DataFrame(rows, columns=columns)
    truth = pd.DataFrame(labels, columns=["subject", "video", "kind", "onset", "apex", "offset"])
    scripts = truth.assign(video=truth.video.str.replace("injected", "resampled"))
    (root / "measures").mkdir(parents=True)
    for video in videos.video:
        curves = {name: np.full(300, 10.0) for name in NAMES}
        curves["lip_gap"][200:205] = 16.0
        curves["nose_x"][230:240] = 14.0
        curves["lids"][260:264] = 1.0
        np.savez(root / "measures" / f"{video}.npz", **curves)
    return Benchmark(root, videos, truth, scripts)
