"""How much an alignment shakes, against noise of known size; and of a real clip."""

import numpy as np
import pytest
from video_files import feat_clip

from jaxspot.video.clip import aligned_frames
from jaxspot.video.decode import read_video
from jaxspot.video.jitter import crop_jitter, crop_places
from jaxspot.video.landmarker import load_landmarker


def shaken(noise_px, *, scale=0.5, drift=0.0, frames=4000):
    """Similarities that place the crop with noise of `noise_px` crop pixels in x and y."""
    rng = np.random.default_rng(0)
    shift = rng.normal(0, noise_px, (frames, 2)) + drift * np.arange(frames)[:, None] + 7
    return [np.column_stack([scale * np.eye(2), move]) for move in shift]


@pytest.mark.parametrize("noise_px", [0.05, 0.3])
@pytest.mark.parametrize("drift", [0.0, 0.4])
def test_noise_of_known_size_is_measured_and_even_motion_is_none(noise_px, drift):
    places = np.stack([crop_places(s) for s in shaken(noise_px, drift=drift)])
    assert crop_jitter(places) == pytest.approx(noise_px, rel=0.05)
    assert crop_jitter(np.stack([crop_places(s) for s in shaken(0.0, drift=drift)])) < 1e-9


def test_frames_without_a_face_break_the_measure_off():
    places = np.stack([crop_places(s) for s in shaken(0.1, frames=900)])
    places[::50] = np.nan
    assert crop_jitter(places) == pytest.approx(0.1, rel=0.1)
    places[::3] = crop_places(None)
    assert np.isnan(crop_jitter(places))


def test_smoothing_steadies_the_crop_of_a_real_clip():
    landmarker = load_landmarker()
    frames = list(aligned_frames(read_video(feat_clip("single_face.mp4")), landmarker))
    raw = crop_jitter(np.stack([crop_places(frame.measured) for frame in frames]))
    used = crop_jitter(np.stack([crop_places(frame.similarity) for frame in frames]))
    assert 0.01 < used < 0.7 * raw < 0.2
    plain = list(aligned_frames(read_video(feat_clip("single_face.mp4")), landmarker, smooth=False))
    assert all(frame.similarity is frame.measured for frame in plain)
