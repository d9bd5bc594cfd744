"""Small pools of made-up frames, and banks of them."""

import dataclasses

import numpy as np

from jaxspot.training.pool import FramePool
from jaxspot.video.shown import last_usable


def make_pool(*, subjects=4, videos=1, frames=16, size=16, fps=30.0, blind=(), seed=0):
    """Noise with a patch that brightens during an ME and darkens during a MaE.

    Args:
      subjects: how many, named s0, s1, ...
      videos: of each subject.
      frames: of each video.
      size: of the pictures.
      fps: of all videos.
      blind: places in the pool where no face was found.
    """
    rng = np.random.default_rng(seed)
    count = subjects * videos
    first = np.arange(count) * frames
    labels = np.zeros((count, frames, 2), np.float32)
    labels[:, 3:6, 0] = labels[:, 8:13, 1] = 1
    labels = labels.reshape(-1, 2)
    pixels = rng.integers(60, 190, (count * frames, size, size))
    pixels[:, 4:9, 4:9] += (40 * (labels[:, 0] - labels[:, 1]))[:, None, None].astype(int)
    usable = np.ones(count * frames, bool)
    usable[list(blind)] = False
    reference = [start + last_usable(usable[start : start + frames]) for start in first]
    return FramePool(
        frames=pixels.astype(np.uint8),
        labels=labels,
        video=np.repeat(np.arange(count), frames).astype(np.int32),
        first=first.astype(np.int32),
        fps=np.full(count, fps, np.float32),
        subjects=tuple(f"s{i // videos}" for i in range(count)),
        usable=usable,
        reference=np.concatenate(reference).astype(np.int32),
    )


def overwrite(pool, subject, seed=99):
    """The same pool with other pixels and opposite labels for one subject."""
    frames, labels = pool.frames.copy(), pool.labels.copy()
    rows = np.isin(pool.subjects, [subject])[pool.video]
    rng = np.random.default_rng(seed)
    frames[rows] = rng.integers(0, 256, frames[rows].shape)
    labels[rows] = 1 - labels[rows]
    return dataclasses.replace(pool, frames=frames, labels=labels)
