"""What recurrent networks learn from: windows of every subject, the same for all folds."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from jaxspot.annotations.intervals import KINDS, frame_labels
from jaxspot.baselines.recurrent.features import Features
from jaxspot.baselines.recurrent.windows import Windows
from jaxspot.training.random_keys import subject_number
from jaxspot.video.bank import Bank


class Batch(NamedTuple):
    """Windows float32 (n, steps, width); labels and weights float32 (n, outputs)."""

    windows: np.ndarray
    labels: np.ndarray
    weights: np.ndarray


class SubjectWindows:
    """Draws windows of one subject; nothing but its own videos and labels decides which.

    Half of them hold a frame of an expression if the subject has one, the others are from anywhere.
    """

    def __init__(
        self, bank: Bank, features: Features, subject: str, kind: str, windows: Windows, seed: int
    ):
        self.features, self.windows = features, windows
        number = KINDS.index(kind)
        self.rng = np.random.default_rng([seed, subject_number(subject), number])
        self.videos, self.labels, self.faces = [], [], []
        rows = bank.videos.loc[bank.videos.subject == subject].to_dict("records")
        for row in rows:
            shown = frame_labels(bank.labels(row["video"]), frames=row["frames"])[:, number]
            self.videos.append((row["video"], row["fps"]))
            self.labels.append(shown)
            self.faces.append(bank.faces(row["video"]))
        seen = np.concatenate(self.faces)
        self.anywhere = np.flatnonzero(seen)
        self.shown = np.flatnonzero(np.concatenate(self.labels) & seen)
        self.ends = np.cumsum([len(own) for own in self.labels])

    def draw(self, count: int) -> Batch:
        """`count` windows, whose weight is 0 beyond the ends of a video and without a face."""
        picked = self._pick(count)
        shift = self.windows.slot * self.rng.integers(self.windows.outputs, size=count)
        windows = np.zeros(
            (count, self.windows.steps, self.features.rows.shape[1]), self.features.rows.dtype
        )
        labels, weights = np.zeros((2, count, self.windows.outputs), np.float32)
        owner = np.searchsorted(self.ends, picked, side="right")
        for number in np.unique(owner[picked >= 0]):
            (video, fps), own = self.videos[number], owner == number
            first = self.ends[number] - len(self.labels[number])
            anchors = (picked[own] - first) / fps + shift[own]
            rate = self.features.rates[video]
            windows[own] = self.features.gather(video, self.windows.places(anchors, rate))
            frames = np.rint(self.windows.answered(anchors) * fps).astype(np.int64)
            inside = (frames >= 0) & (frames < len(self.labels[number]))
            at = np.where(inside, frames, 0)
            labels[own] = self.labels[number][at]
            weights[own] = inside & self.faces[number][at]
        return Batch(windows, labels, weights)

    def _pick(self, count):
        if not len(self.anywhere):
            return np.full(count, -1)
        half = count // 2 if len(self.shown) else 0
        return np.concatenate(
            [self.rng.choice(self.shown, half), self.rng.choice(self.anywhere, count - half)]
        ).astype(np.int64)


def batches(
    draws: list[SubjectWindows], *, each: int, steps: int, steps_a_call: int
) -> Iterator[Batch]:
    """Yields the windows of each call: a leading axis of its steps, then `each` of every subject.

    The last call may hold more steps than are left; they have weight 0.
    """
    for first in range(0, steps, steps_a_call):
        drawn = []
        for step in range(first, first + steps_a_call):
            parts = [draw.draw(each) for draw in draws]
            batch = Batch(*map(np.concatenate, zip(*parts, strict=True)))
            drawn.append(batch._replace(weights=batch.weights * (step < steps)))
        yield Batch(*map(np.stack, zip(*drawn, strict=True)))
