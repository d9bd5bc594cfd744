"""A trained spotter: networks, frame skips and decisions, all that a new video needs."""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pandas as pd

from jaxspot.errors import UserError
from jaxspot.files import with_tuples
from jaxspot.motion.pictures import motion_clip
from jaxspot.network.inputs import init_variables
from jaxspot.network.model import TwoStream, build_model, frame_shape, model_fields
from jaxspot.network.region_motion import RegionMotion, region_frames
from jaxspot.network.streams import network_skips
from jaxspot.spotting.automated_iou import FittedRule, apply_rule
from jaxspot.spotting.filters import scale_of
from jaxspot.spotting.scoring import score_video
from jaxspot.spotting.video_file import Plot, spot_clips
from jaxspot.storage import restore_tree, save_tree, verify_tree
from jaxspot.video.bank import SIZE
from jaxspot.video.clip import aligned_clip, posed_clip
from jaxspot.video.shown import ShownFrames

SETTINGS = "spotter.json"
ALIGNMENTS = ("similarity", "posed")


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
    """

    model: TwoStream
    variables: dict[str, Any]
    k_seconds: tuple[tuple[float, float], ...]
    rules: tuple[FittedRule, ...]
    alignment: str = "similarity"

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

    def score(self, frames: np.ndarray | ShownFrames, fps: float) -> np.ndarray:
        """Mean of the networks' scores of a video: float32 (frames, 2), 0..1.

        `frames` is uint8 (frames, 112, 112), aligned faces. If the networks were trained on region
        motion, it is float32 (frames, 12, 2): how far each region moved since the frame before,
        right and down, in pixels of the aligned face; the motion of frames without a face is 0.

        Raises:
          TypeError: pictures for networks trained on region motion, or the reverse.
          ValueError: frames of another shape.
        """
        if self.takes_motion:
            frames = self._placed(frames, fps)
        elif _kind(_pixels(frames)) == np.float32:
            raise TypeError("this spotter takes aligned faces, uint8, not float32 region motion")
        scores = score_video(self.model, self.variables, frames, skips=self.skips(fps))
        return scores.mean(0)

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

    def intervals(self, scores: np.ndarray, fps: float) -> pd.DataFrame:
        """Intervals of a video from the mean scores, with the average of the networks' rules."""
        return apply_rule(scores, fps=fps, fitted=mean_rule(self.rules))[1]


def mean_rule(rules: Sequence[FittedRule]) -> FittedRule:
    """One rule for the mean of several networks' scores: the mean of theirs.

    With "train_quantiles", thresholds are averaged on the raw scale, where the scores are; with
    "per_video", as they are. A network that finds nothing (threshold inf) is left out of the mean;
    if half of them or more find nothing, so does the result.
    """
    first = rules[0].rule
    lows, highs = _pairs(rules, "low"), _pairs(rules, "high")
    low, high = lows.mean(0), highs.mean(0)
    fixed_scale = first.normalisation != "per_video"

    def average(name):
        values = _pairs(rules, name)
        if fixed_scale:
            values = lows + values * scale_of(lows, highs)
        finite = np.isfinite(values)
        mean = np.where(finite, values, 0).sum(0) / np.maximum(finite.sum(0), 1)
        mean = np.where(finite.mean(0) > 0.5, mean, np.inf)
        return _pair((mean - low) / scale_of(low, high) if fixed_scale else mean)

    cutoff = _pairs([fitted.rule for fitted in rules], "cutoff_hz").mean(0)
    length = _pairs([fitted.rule for fitted in rules], "length_seconds").mean(0)
    return FittedRule(
        rule=dataclasses.replace(first, cutoff_hz=_pair(cutoff), length_seconds=_pair(length)),
        low=_pair(low),
        high=_pair(high),
        threshold=average("threshold"),
        frame_threshold=average("frame_threshold"),
    )


def _pixels(frames):
    return frames.frames if isinstance(frames, ShownFrames) else frames


def _kind(array):
    return getattr(array, "dtype", type(array).__name__)


def _pairs(items, name):
    return np.array([getattr(item, name) for item in items], float)


def _pair(values):
    first, second = np.asarray(values).tolist()
    return first, second


def spot_videos(
    paths: Sequence[str | Path],
    *,
    weights: str | Path,
    out: str | Path,
    plot: Plot | None = None,
    progress: bool = True,
) -> dict[str, pd.DataFrame]:
    """Finds expressions in video files and writes OUT/<video name>/ (see `spot_clip`).

    Args:
      paths: video files.
      weights: the folder of a run, or a folder that `save_spotter` wrote (in a run, this is
        `checkpoints/spotter`).
      out: folder of the results.
      plot, progress: see `spot_clip`.

    Returns:
      Video name -> intervals.

    Raises:
      UserError: the weights, a video or the face model cannot be read, or two videos have the same
        name.
    """
    spotter = load_spotter(weights)
    faces = posed_clip if spotter.alignment == "posed" else aligned_clip
    return spot_clips(
        paths,
        read=motion_clip if spotter.takes_motion else faces,
        score=spotter.score,
        intervals=spotter.intervals,
        out=out,
        skips=spotter.skips,
        plot=plot,
        progress=progress,
    )


def save_spotter(folder: str | Path, spotter: Spotter) -> None:
    """Writes a spotter as FOLDER/weights: its networks, its settings as JSON, and their hashes."""
    settings = {
        "model": model_fields(spotter.model),
        "skip_seconds": spotter.k_seconds,
        "rules": [fitted.to_json() for fitted in spotter.rules],
        "alignment": spotter.alignment,
    }
    text = json.dumps(settings, indent=1) + "\n"
    save_tree(Path(folder) / "weights", spotter.variables, texts={SETTINGS: text})


def load_spotter(folder: str | Path) -> Spotter:
    """Loads a spotter saved by `save_spotter`, or the spotter in the folder of a run.

    Raises:
      UserError: no spotter there, one that was altered, or one of another version.
    """
    folder = Path(folder)
    if (folder / "checkpoints" / "spotter").is_dir():
        folder = folder / "checkpoints" / "spotter"
    weights = folder / "weights"
    if not (weights / SETTINGS).is_file():
        raise UserError(f"{folder}: no trained spotter here ({SETTINGS}); name a run's folder")
    verify_tree(weights)
    settings = json.loads((weights / SETTINGS).read_text(encoding="utf-8"))
    try:
        fields = with_tuples(settings["model"])
        fields.pop("momentum", None)  # saved until it was removed; scores do not depend on it
        model = build_model(**fields)
        k_seconds = tuple(tuple(pair) for pair in settings["skip_seconds"])
        rules = tuple(FittedRule.from_json(values) for values in settings["rules"])
        alignment = settings.get("alignment", "similarity")  # there was no other before
        spotter = Spotter(model, {}, k_seconds, rules, alignment)
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"{folder}: saved by another version of jaxspot ({error}); train again"
        ) from None
    size = frame_shape(model, SIZE)
    shapes = jax.eval_shape(lambda: init_variables(model, jax.random.key(0), size))
    stacked = lambda leaf: jax.ShapeDtypeStruct((len(rules), *leaf.shape), leaf.dtype)
    variables = restore_tree(weights, jax.tree.map(stacked, {"batch_stats": {}} | shapes))
    return dataclasses.replace(spotter, variables=variables)
