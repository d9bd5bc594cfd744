"""Scores of a bank's videos by the networks of a run: made, kept, and written as files."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

import jax
import numpy as np

from jaxspot.annotations.intervals import KINDS
from jaxspot.errors import UserError
from jaxspot.experiment.settings import Settings
from jaxspot.experiment.team import Team
from jaxspot.files import whole_file
from jaxspot.network.streams import network_skips
from jaxspot.progress import progress_bar
from jaxspot.spotting.automated_iou import Pair
from jaxspot.spotting.scoring import score_video, to_native
from jaxspot.spotting.video_file import usable_frames
from jaxspot.storage import hash_tree, restore_array, save_array
from jaxspot.training.folds import Fold
from jaxspot.training.inner_folds import Networks
from jaxspot.training.pool import network_frames
from jaxspot.video.bank import Bank
from jaxspot.video.shown import ShownFrames

NetworkScores = Mapping[str, Mapping[int, np.ndarray]]
"""Video -> number of the network (`Networks`) -> float32 (frames, 2), ME and MaE."""
MADE_BY = "made_by.txt"


class Work(NamedTuple):
    """Where a part of a run keeps what is done, and whom it tells.

    Attributes:
      saved: folder of scores and frame skips.
      epochs: folder of the epochs.
      metrics: file with a JSON row per fold and epoch; inner folds go to inner_<its name>.
      name: what the progress bars say.
      stop_here: called whenever all that is done is saved; may raise.
      team: the processes that work at it.
    """

    saved: Path
    epochs: Path
    metrics: Path
    name: str
    stop_here: Callable[[], None] = lambda: None
    team: Team = Team()


def score_bank(
    bank: Bank,
    networks: Networks,
    variables: dict[str, Any],
    k_seconds: Sequence[Pair],
    settings: Settings,
    work: Work,
) -> NetworkScores:
    """Every video by the networks that some fold asks about its subject, each with its own k.

    Videos whose scores these very weights have left in `work.saved` are not scored again. A score
    is NaN where a frame was compared with another stay of a face, see `Bank.tracks`.
    """
    weights, scores, rows = hash_tree(variables), {}, bank.videos.itertuples()
    frames = int(bank.videos.frames.sum())
    with progress_bar(total=frames, desc=f"scoring ({work.name})", unit="frame") as bar:
        for row in cast(Any, rows):
            wanted, scores[row.video] = networks.of_subject(row.subject), {}
            if not wanted:
                bar.update(row.frames)
                continue
            pairs = [k_seconds[number] for number in wanted]
            skips = network_skips(settings.model.streams, pairs, row.fps / bank.every)
            place = work.saved / "scores" / row.video
            made_by = f"{weights} {wanted} {skips.tolist()}"
            known = _known_scores(place, (len(wanted), row.frames, 2), made_by)
            if known is None:
                known = score_video(
                    settings.model,
                    jax.tree.map(lambda leaf, wanted=wanted: leaf[wanted], variables),
                    shown_frames(bank, row.video),
                    skips=skips,
                    on_chunk=lambda count: bar.update(count * bank.every),
                )
                known = to_native(known, every=bank.every, frames=row.frames)
                refuse_not_finite(known, [networks.all[number] for number in wanted], row.video)
                save_array(place, known, texts={MADE_BY: made_by})
            else:
                bar.update(row.frames)
            known = within_stays(bank, row.video, known, skips)
            scores[row.video] = dict(zip(wanted, known, strict=True))
            work.stop_here()
    return scores


def score_together(
    bank: Bank,
    networks: Networks,
    variables: dict[str, Any],
    k_seconds: Sequence[Pair],
    settings: Settings,
    work: Work,
) -> NetworkScores:
    """As `score_bank`; of several processes, each scores its share of the videos.

    A helper has those of its share alone.
    """
    k_seconds = work.team.agree("score", k_seconds=k_seconds)["k_seconds"]
    part = work.team.share(bank)
    scores = score_bank(part, networks, variables, k_seconds, settings, work)
    work.team.meet()
    if part is bank or work.team.helps:
        return scores
    return score_bank(bank, networks, variables, k_seconds, settings, work)


def refuse_not_finite(scores: np.ndarray, folds: Sequence[Fold], video: str) -> None:
    """Stops at a score (folds, frames, 2) that is not a finite number.

    Raises:
      UserError: it names subject, video and frame.
    """
    bad = np.argwhere(~np.isfinite(scores))
    if len(bad):
        fold, frame, _ = bad[0]
        raise UserError(
            f"fold of subject {folds[fold].held_out}, video {video}, frame {frame + 1}: the score"
            " is not finite; the weights are unusable. Train anew with a lower"
            " --config.training.learning_rate"
        )


def _known_scores(place, shape, made_by):
    try:
        if (place / MADE_BY).read_bytes() != made_by.encode():
            return None
        scores = restore_array(place)
    except (FileNotFoundError, UserError):
        return None
    return scores if scores.shape == shape else None


def blank_faceless(bank: Bank, scores: NetworkScores) -> NetworkScores:
    """NetworkScores with NaN where a frame shows no face."""
    blank = lambda video, found: {n: usable_scores(bank, video, s) for n, s in found.items()}
    return {video: blank(video, found) for video, found in scores.items()}


def shown_frames(bank: Bank, video: str) -> ShownFrames:
    """A video's frames as they are scored."""
    return ShownFrames(network_frames(bank, video), bank.faces(video)[:: bank.every])


def usable_scores(bank: Bank, video: str, scores: np.ndarray) -> np.ndarray:
    """A video's scores (..., frames, 2) with NaN where a frame shows no face."""
    return np.where(bank.faces(video)[:, None], scores, np.nan)


def within_stays(bank: Bank, video: str, scores: np.ndarray, skips: np.ndarray) -> np.ndarray:
    """Scores (networks, frames, 2) with NaN where a reference shows another stay than the frame.

    `skips` are int (networks, streams), in rows of the bank.
    """
    if not bank.begins(video):
        return scores
    tracks, every = bank.tracks(video), bank.every
    usable = [usable_frames(tracks, np.unique(own) * every) for own in skips]
    return np.where(np.array(usable)[..., None] | (tracks < 0)[:, None], scores, np.nan)


def write_scores(folder: Path, scores: Mapping[str, np.ndarray]) -> None:
    """Writes the scores of each video, float (frames, 2) in the order of KINDS."""
    for video, curve in scores.items():
        with whole_file(folder / f"{video}.npz") as partial, open(partial, "wb") as file:
            arrays: Any = {kind: curve[:, i] for i, kind in enumerate(KINDS)}
            np.savez(file, **arrays)


def read_scores(folder: Path, videos: Iterable[str]) -> dict[str, np.ndarray]:
    """video -> (frames, 2), as `write_scores` wrote them."""
    scores = {}
    for video in videos:
        with np.load(folder / f"{video}.npz") as file:
            scores[video] = np.stack([file[kind] for kind in KINDS], axis=1)
    return scores
