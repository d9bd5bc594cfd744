"""Banks of made-up region motion: noise, and bumps where a label says so."""

import dataclasses

import numpy as np
from tiny_banks import finish_tiny_bank

from jaxspot.motion.regions import TWELVE
from jaxspot.video.writer import save_motion


def bump(frames, onset, apex, offset):
    """Rises from onset to apex and falls to offset, 0..1: float (frames,); frames from 1."""
    return np.interp(np.arange(1, frames + 1), [onset, apex, offset], [0.0, 1.0, 0.0])


def write_motion_bank(root, *, subjects=4, frames=600, every=1, fps=30.0, change=None):
    """A bank with an ME at the mouth and an MaE at the brows of each subject; returns it opened.

    Events last 0.4 s and 1.2 s and lie at places drawn by subject. `frames` and `fps` are native;
    motion is kept every so many frames. `change` (subject) gets other motion and other labels.
    """
    videos, labels = [], []
    for number in range(1, subjects + 1):
        subject, video = f"s{number}", f"s{number}_1"
        rng = np.random.default_rng(100 * number + (subject == change))
        place = np.cumsum(rng.normal(0, 0.02, (frames, 12, 2)), 0) * 0.1
        place += rng.normal(0, 0.02, place.shape)
        slots = rng.permutation(np.arange(1, 6)) * frames // 6
        for kind, seconds, size, regions, slot in (
            *(("ME", 0.4, 0.8, [8, 10], at) for at in slots[:2]),
            *(("MaE", 1.2, 1.5, [0, 1, 2], at) for at in slots[2:4]),
        ):
            onset, offset = int(slot), int(slot + seconds * fps)
            apex = (onset + offset) // 2
            place[:, regions, 1] -= size * bump(frames, onset, apex, offset)[:, None]
            labels.append((subject, video, kind, onset, apex, offset))
        rows = place[::every]
        motion = np.diff(rows, axis=0, prepend=rows[:1]).astype(np.float32)
        save_motion(root, video, motion, np.ones((frames, 2), np.float32))
        videos.append((subject, video, frames, fps))
    return finish_tiny_bank(root, videos, labels, regions=dataclasses.replace(TWELVE, every=every))
