"""Draws docs/review.png, the review page of a synthetic video (needs chromium).

PYTHONPATH=.:tests .venv/bin/python docs/review_picture.py FOLDER

FOLDER keeps the video and what was spotted in it; a second call uses them.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
from browser import Page
from PIL import Image
from video_files import encode

from jaxspot import load_spotter, write_review
from jaxspot.files import write_table
from jaxspot.spotting.decision import write_decision
from jaxspot.spotting.video_file import clip_frames, clip_intervals, in_seconds, ranked
from jaxspot.synthetic.generate import synthesise_video
from jaxspot.video.clip import Clip

FPS = 30.0
LOST = slice(500, 530)
"""Frames that count as without a face, so that the picture shows a gap."""


def main(root: str) -> None:
    """Writes review.png beside this file."""
    folder = Path(root) / "spotted" / "talk"
    if not (folder / "intervals.csv").is_file():
        spot_synthetic(Path(root) / "talk.mp4", folder)
    address = write_review(folder)
    with tempfile.TemporaryDirectory() as profile, Page(Path(profile)) as page:
        page.open(address)
        page.wait("document.querySelector('video').readyState >= 2")
        page.press("ArrowDown", "a", "r", "a", " ")
        page.press("i", "z", "0")
        page.wait("!document.querySelector('video').seeking")
        shot = Path(profile) / "shot.png"
        page.picture(shot)
        with Image.open(shot) as image:
            few = image.convert("RGB").quantize(
                256, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE
            )
            few.save(Path(__file__).with_name("review.png"), optimize=True)


def spot_synthetic(video: Path, folder: Path) -> None:
    """Makes a video of a synthetic head and scores its frames, which need no alignment."""
    scene = dict(subject=3, seconds=40, fps=FPS, level="untidy", seed=99)
    frames = synthesise_video(**scene)[0]
    large = frames.repeat(4, 1).repeat(4, 2)[..., None].repeat(3, 3)
    video.parent.mkdir(parents=True, exist_ok=True)
    encode(video, large)
    spotter = load_spotter()
    scores = spotter.score(frames, FPS).astype(float)
    faces = np.zeros(len(frames), np.int32)
    faces[LOST], scores[LOST] = -1, np.nan
    quality = np.stack([faces >= 0, 0.95 * (faces >= 0)], 1).astype(np.float32)
    clip = Clip(frames, quality, np.arange(len(frames)) / FPS, FPS, faces)
    write_table(clip_frames(clip, scores), folder / "frames.csv")
    found = clip_intervals(spotter.intervals(scores, FPS), faces)
    found = in_seconds(ranked(found.assign(subject="", video=folder.name)), clip.times)
    write_table(found, folder / "intervals.csv")
    write_decision(folder, spotter.decision(), video)


if __name__ == "__main__":
    main(sys.argv[1])
