"""Scores frame by frame: each is compared with earlier frames that are kept on the device."""

from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxspot.devices import map_folds
from jaxspot.errors import UserError
from jaxspot.network.compiling import compile_program
from jaxspot.network.inputs import preprocess_frames, stream_inputs
from jaxspot.network.model import TwoStream
from jaxspot.network.motion import Motion
from jaxspot.spotting.saved_spotter import load_spotter
from jaxspot.spotting.scoring import score_chunk
from jaxspot.spotting.spotter import Spotter
from jaxspot.spotting.spotter_file import CAUSAL
from jaxspot.video.writer import SIZE

TRAIN = "build causal ones: jaxspot build_weights --config=shipped:causal --out="
NO_SCORE = np.full(2, np.nan, np.float32)


class LiveScorer:
    """Scores the frames of a stream one after the other, by a spotter of earlier references.

    A score is that which `Spotter.score` gives the frame when the whole video is known, and NaN
    where `usable_frames` has it so. A frame costs one call of one compiled program, one copy of
    the picture to the device and one of two numbers back. As many frames are kept there as the
    longest frame skip.

    Args:
      spotter: its references must be earlier than the frame.
      fps: frames per second of the stream.

    Raises:
      UserError: a reference is later than the frame, or the networks take region motion.
    """

    def __init__(self, spotter: Spotter, fps: float):
        refuse_unfit(spotter)
        skips = spotter.skips(fps)
        self._skips, stream = np.unique(skips, return_inverse=True)
        self._variables = jax.device_put(spotter.variables)
        self._stream = jnp.asarray(stream.reshape(skips.shape), jnp.int32)
        longest = int(self._skips.max())
        self._length = longest + 1
        self._ring = jnp.zeros((self._length, SIZE, SIZE), jnp.float32)
        # Of each of the last frames: the usable one that stands for it, counted from 0; its face.
        self._shown, self._faces = np.zeros((2, self._length), int)
        self._number = self._usable = 0
        self._step = _step_of(spotter.model)
        self._compile()

    def score(self, image: np.ndarray, face: int) -> np.ndarray:
        """The scores of the next frame, ME and MaE: float32 (2,), 0..1 or NaN.

        `image` is uint8 (112, 112), `face` the number of its track, below 0 without a face.
        """
        found = face >= 0
        if found and not self._usable:
            self._faces[:] = face  # before the first usable frame, that frame serves
        self._usable += found
        now = self._number % self._length
        self._shown[now] = max(self._usable - 1, 0)
        self._faces[now] = face if found else self._faces[now - 1]
        past = (self._number - self._skips) % self._length
        self._number += 1
        if not found:
            return NO_SCORE
        places = np.append(self._shown[now], self._shown[past]) % self._length
        self._ring, scores = self._run(image, places)
        return np.asarray(scores) if (self._faces[past] == face).all() else NO_SCORE

    def _run(self, image, places):
        return self._step(self._ring, image, places.astype(np.int32), self._variables, self._stream)

    def _compile(self):
        blank, places = np.zeros((SIZE, SIZE), np.uint8), np.zeros(1 + len(self._skips))
        self._ring, scores = self._run(blank, places)
        scores.block_until_ready()


def load_causal(place: str | Path | None = None) -> Spotter:
    """Loads a spotter for `LiveScorer`, as `load_spotter`; by default that of CAUSAL.

    Raises:
      UserError: as `load_spotter` and `LiveScorer`; or no place is given and there is no CAUSAL.
    """
    if place is None and not CAUSAL.is_file():
        raise UserError(f"{CAUSAL}: no causal weights yet; {TRAIN}{CAUSAL}")
    spotter = load_spotter(CAUSAL if place is None else place)
    refuse_unfit(spotter)
    return spotter


def refuse_unfit(spotter: Spotter) -> None:
    """Refuses a spotter that a stream cannot be scored by, see `LiveScorer`."""
    if spotter.takes_motion:
        raise UserError(f"these weights take region motion, live takes pictures; {TRAIN}FILE.npz")
    if any(times < 0 for _, times in spotter.model.streams.references):
        raise UserError(f"these weights compare a frame with later ones; {TRAIN}FILE.npz")


def _step_of(model: TwoStream):
    return compile_program(partial(_score_frame, model), donate_argnums=0)


def _score_frame(
    model: TwoStream,
    ring: jax.Array,
    image: jax.Array,
    places: jax.Array,
    variables: dict[str, Any],
    stream: jax.Array,
) -> tuple[jax.Array, jax.Array]:
    """Puts a frame into the ring and scores it: the new ring, and the networks' mean (2,).

    `places` int32 (1 + skips,): where in the ring the frame goes, and its references of each
    distinct skip are. `stream` int32 (networks, streams): the skip of each stream, as their number.
    """
    new = preprocess_frames(image[None], model)
    ring = jax.lax.dynamic_update_slice_in_dim(ring, new, places[0], 0)
    compared = stream_inputs(ring[places][None], model)[0]

    def one(network):
        weights, skips = network
        streams = compared[skips]
        if not isinstance(model.trunk, Motion):
            streams = jnp.concatenate([compared[:1], compared[1:][skips]])
        return score_chunk(weights, streams[None], model=model)[0]

    return ring, map_folds(one, (variables, stream)).mean(0)
