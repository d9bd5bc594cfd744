"""Eq. 1 by scipy, and pictures to try it on."""

import numpy as np
from scipy.ndimage import gaussian_filter


def scipy_lcn(image):
    """Eq. 1 with scipy's Gaussian filter, in float64."""
    smooth = lambda x: gaussian_filter(x, 3.0, mode="reflect", radius=9)
    difference = image - smooth(image)
    deviation = np.sqrt(smooth(difference**2))
    return difference / np.maximum(deviation, deviation.mean())


def pictures(*shape, seed=0):
    """Smooth structure and noise, range 0..1."""
    rng = np.random.default_rng(seed)
    coarse = gaussian_filter(rng.random(shape), [0] * (len(shape) - 2) + [4, 4])
    coarse = (coarse - coarse.min()) / np.ptp(coarse)
    return 0.9 * coarse + 0.1 * rng.random(shape)
