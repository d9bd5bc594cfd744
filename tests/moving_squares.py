"""Frames with a texture of which one square moves."""

import numpy as np


def texture(size=112, seed=0):
    """Smooth noise over the full range, float (size, size)."""
    spectrum = np.fft.rfft2(np.random.default_rng(seed).normal(size=(size, size)))
    rows, columns = np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)
    image = np.fft.irfft2(spectrum * np.exp(-400 * (rows**2 + columns**2)), (size, size))
    return 255 * (image - image.min()) / np.ptp(image)


def moving_square(shifts, size=112, rows=(40, 76), columns=(40, 76)):
    """A textured square on another texture, to the right of its place by whole pixels a frame."""
    clip = np.repeat(texture(size)[None], len(shifts), 0)
    square = texture(size, seed=1)[slice(*rows), slice(*columns)]
    for frame, shift in zip(clip, shifts, strict=True):
        frame[slice(*rows), columns[0] + shift : columns[1] + shift] = square
    return clip.astype(np.uint8)
