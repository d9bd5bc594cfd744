"""How much an alignment shakes: the noise of the crop's place in the picture."""

import numpy as np

from jaxspot.video.writer import SIZE

EYES = ((0.33 * SIZE, 0.37 * SIZE), (0.67 * SIZE, 0.37 * SIZE))


def crop_places(similarity: np.ndarray | None) -> np.ndarray:
    """Where the aligned face's eyes lie in the picture, measured in pixels of the crop.

    `similarity` is (2, 3) from picture to crop, None without a face (then NaN). float (4,).
    """
    if similarity is None:
        return np.full(4, np.nan)
    linear, shift = similarity[:, :2], similarity[:, 2]
    scale = np.sqrt(abs(np.linalg.det(linear)))
    return scale * np.linalg.solve(linear, np.subtract(EYES, shift).T).T.ravel()


def crop_jitter(places: np.ndarray) -> float:
    """Noise of one coordinate in pixels of the crop: RMS of the second difference over sqrt(6).

    That is the standard deviation of white noise; a head that moves evenly adds nothing. `places`
    (frames, 4) of `crop_places`. NaN where no three frames in a row have a face.
    """
    bend = np.diff(places, 2, axis=0)
    bend = bend[np.isfinite(bend)]
    return float(np.sqrt(np.mean(bend**2) / 6)) if bend.size else float("nan")
