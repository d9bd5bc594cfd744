"""Videos of a synthetic head that does only what a test asks for."""

from collections.abc import Mapping

import numpy as np

from jaxspot.synthetic.heads import load_heads
from jaxspot.synthetic.motion import Course
from jaxspot.synthetic.render import noise_bank, noise_places, render

NOISE = 2.0
"""Of the camera, standard deviation in gray levels."""


def acted_face(units: Mapping[str, np.ndarray], *, person: int = 0) -> np.ndarray:
    """Frames uint8 (T, 112, 112) of a head at rest but for the named units' intensities (T,)."""
    head = load_heads().person(person)
    frames, rng = len(next(iter(units.values()))), np.random.default_rng(0)
    weights = np.zeros((frames, len(head.units)))
    for name, intensity in units.items():
        weights[:, head.units.index(name)] = intensity
    still, same = np.zeros(frames), np.ones(frames)
    course = Course(still, still, still, same, still, still, same, still, still)
    noise = dict(noise=noise_bank(rng, NOISE), places=noise_places(rng, frames))
    return render(head, weights, course, **noise, contrast=1.0, quality=100)
