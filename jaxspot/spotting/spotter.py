"""A trained spotter: networks, frame skips and decisions, all that a new video needs."""

import dataclasses
import hashlib
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from jaxspot.errors import UserError
from jaxspot.network.model import TwoStream, frame_shape, model_fields
from jaxspot.network.region_motion import RegionMotion, region_frames
from jaxspot.network.streams import network_skips
from jaxspot.spotting.automated_iou import FittedRule, apply_rule, normalise, smooth_scores
from jaxspot.spotting.candidates import smooth_odds
from jaxspot.spotting.decision import Decision
from jaxspot.spotting.judge import Judge, highest_per_minute, judged_intervals
from jaxspot.spotting.mean_rule import mean_rule
from jaxspot.spotting.scoring import score_video
from jaxspot.storage import hash_tree
from jaxspot.video.bank import SIZE
from jaxspot.video.shown import ShownFrames

ALIGNMENTS = ("similarity", "posed")
NO_JUDGE = "these weights give no chances, so --min-chance does not go with them; use --threshold"
JUDGED = "these weights give chances, so --threshold does not go with them; use --min-chance"


@dataclasses.dataclass(frozen=True)
class Spotter:
    """The networks of all folds, used together.

    Attributes:
      model: the network.
      variables: {"params", "batch_stats"}, every leaf with a leading axis of networks.
      k_seconds: per network, k of ME and MaE in seconds.
      rules: per network, its fitted rule.
      alignment: how the faces of its training were aligned: "similarity" or "posed" (see
        `posed_clip`).
      judge: gives each interval the chance that it is right; None: intervals have no chance.
    """

    model: TwoStream
    variables: dict[str, Any]
    k_seconds: tuple[tuple[float, float], ...]
    rules: tuple[FittedRule, ...]
    alignment: str = "similarity"
    judge: Judge | None = None

    def __post_init__(self):
        if self.alignment not in ALIGNMENTS:
            raise ValueError(f"alignment {self.alignment!r}; known: {', '.join(ALIGNMENTS)}")

    @property
    def takes_motion(self) -> bool:
        """Whether the networks compare region motion, not pictures."""
        return isinstance(self.model.trunk, RegionMotion)

    def skips(self, fps: float) -> np.ndarray:
        """Frame skips of each stream at a frame rate: int (networks, streams)."""
        return network_skips(self.model.streams, self.k_seconds, fps)

    def score(
        self,
        frames: np.ndarray | ShownFrames,
        fps: float,
        *,
        on_chunk: Callable[[int], object] | None = None,
    ) -> np.ndarray:
        """Mean of the networks' scores of a video: float32 (frames, 2), 0..1.

        `frames` is uint8 (frames, 112, 112), aligned faces. If the networks were trained on region
        motion, it is float32 (frames, 12, 2): how far each region moved since the frame before,
        right and down, in pixels of the aligned face; the motion of frames without a face is 0.
        `on_chunk` is called after each part with its number of frames.

        Raises:
          TypeError: pictures for networks trained on region motion, or the reverse.
          ValueError: frames of another shape.
        """
        if self.takes_motion:
            frames = self._placed(frames, fps)
        elif _kind(_pixels(frames)) == np.float32:
            raise TypeError("this spotter takes aligned faces, uint8, not float32 region motion")
        skips = self.skips(fps)
        scores = score_video(self.model, self.variables, frames, skips=skips, on_chunk=on_chunk)
        return scores.mean(0)

    def warm_up(self, fps: float) -> None:
        """Loads what the first video at a frame rate needs, by spotting a blank one."""
        shape = frame_shape(self.model, SIZE)
        blank = (
            np.zeros((1, shape[0], 2), np.float32)
            if self.takes_motion
            else np.zeros((1, SIZE, SIZE), np.uint8)
        )
        self.intervals(self.score(blank, fps).repeat(9, 0), fps)

    def _placed(self, frames, fps):
        """What stands for the frames, from region motion."""
        motion, regions = _pixels(frames), frame_shape(self.model, SIZE)[0]
        if _kind(motion) != np.float32:
            raise TypeError(
                "this spotter takes region motion, float32, see `motion_clip`; not pictures or"
                f" other {_kind(motion)}"
            )
        if motion.ndim != 3 or motion.shape[1:] != (regions, 2) or not len(motion):
            raise ValueError(
                f"region motion must have the shape (frames, {regions}, 2), not {motion.shape}"
            )
        seen = frames.usable if isinstance(frames, ShownFrames) else np.ones(len(motion), bool)
        return ShownFrames(region_frames(motion, fps=fps, seen=seen), seen)

    def intervals(
        self,
        scores: np.ndarray,
        fps: float,
        *,
        min_chance: float | None = None,
        per_minute: float | None = None,
        threshold: tuple[float, float] | None = None,
    ) -> pd.DataFrame:
        """Intervals of a video from the mean scores, by the judge or the mean of the rules.

        Args:
          scores: float (T, 2) from `score`; NaN where a frame has none.
          fps: frames per second.
          min_chance: the least chance of an interval, 0..1, of both kinds; by default the judge's
            `threshold`.
          per_minute: keep so many intervals of each kind a minute, those with the highest `score`.
          threshold: without a judge: the least height (ME, MaE) of a peak of the smoothed,
            normalised curve, see `curves`; by default the mean of those that were fitted.

        Returns:
          subject, video (both empty), kind, onset, apex, offset, score, see `intervals_table`. If
          the spotter has a judge, `score` is the chance that the interval is right.

        Raises:
          UserError: `min_chance` is given and there is no judge, or `threshold` and there is one.
        """
        self.check_options(min_chance=min_chance, threshold=threshold)
        if self.judge is not None:
            table = judged_intervals(scores, fps=fps, judge=self.judge, min_chance=min_chance)
        else:
            table = apply_rule(scores, fps=fps, fitted=self.rule(threshold))[1]
        if per_minute is None:
            return table
        return highest_per_minute(table, minutes=len(scores) / fps / 60, count=per_minute)

    def rule(self, threshold: tuple[float, float] | None = None) -> FittedRule:
        """The mean of the networks' rules, with another threshold (ME, MaE) where one is given."""
        rule = mean_rule(self.rules)
        return rule if threshold is None else dataclasses.replace(rule, threshold=threshold)

    def curves(self, scores: np.ndarray, fps: float) -> np.ndarray:
        """The scores (T, 2) as intervals are searched in them: smoothed, float (T, 2).

        With a judge they are on the scale of the scores, else normalised as the thresholds are.
        """
        if self.judge is not None:
            return smooth_odds(scores, fps=fps)
        rule = self.rule()
        return smooth_scores(normalise(scores, fps=fps, fitted=rule), fps=fps, rule=rule.rule)

    def shown_threshold(
        self, threshold: tuple[float, float] | None = None
    ) -> tuple[float, float] | None:
        """The threshold of `curves` (ME, MaE); None with a judge."""
        return None if self.judge is not None else self.rule(threshold).threshold

    def check_options(
        self, *, min_chance: float | None = None, threshold: tuple[float, float] | None = None
    ) -> None:
        """Refuses, by a UserError, options that do not go with these weights."""
        if min_chance is not None and self.judge is None:
            raise UserError(NO_JUDGE)
        if threshold is not None and self.judge is not None:
            raise UserError(JUDGED)

    def settings(self) -> dict[str, Any]:
        """All but its variables, as JSON holds it."""
        return {
            "model": model_fields(self.model),
            "skip_seconds": self.k_seconds,
            "rules": [fitted.to_json() for fitted in self.rules],
            "alignment": self.alignment,
            "judge": self.judge and self.judge.to_json(),
        }

    def sha256(self) -> str:
        """The hash of its settings and variables: equal for equal weights, wherever they lie."""
        text = f"{json.dumps(self.settings(), sort_keys=True)} {hash_tree(self.variables)}"
        return hashlib.sha256(text.encode()).hexdigest()

    def decision(
        self,
        *,
        min_chance: float | None = None,
        per_minute: float | None = None,
        threshold: tuple[float, float] | None = None,
    ) -> Decision:
        """What decides about intervals: the thresholds that `intervals` uses."""
        if self.judge is None:
            return Decision(rule=self.rule(threshold), per_minute=per_minute)
        least = self.judge.threshold if min_chance is None else (min_chance, min_chance)
        return Decision(least_chance=least, per_minute=per_minute)


def _pixels(frames) -> Any:
    return frames.frames if isinstance(frames, ShownFrames) else frames


def _kind(array):
    return getattr(array, "dtype", type(array).__name__)
