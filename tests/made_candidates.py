"""Score curves of made-up videos whose labels are known."""

import numpy as np
import pandas as pd

from jaxspot.evaluation.fitting import ScoredVideo


def bump(times, centre, width, height):
    return height * np.exp(-(((times - centre) / width) ** 2))


def made_video(seed, *, fps=30.0, seconds=40):
    """Bumps of both kinds; the higher, the more often one is labelled; some are not."""
    rng = np.random.default_rng(seed)
    times = np.arange(round(seconds * fps)) / fps
    scores, rows = np.full((len(times), 2), 0.05), []
    for column, (kind, width) in enumerate((("ME", 0.15), ("MaE", 0.6))):
        for centre in np.arange(3, seconds - 2, 4) + column * 2 + rng.uniform(-0.3, 0.3):
            height = rng.uniform(0.1, 0.9)
            scores[:, column] += bump(times, centre, width, height)
            if rng.random() < height:
                half = width * 0.65
                ends = np.round((centre + np.array([-half, half])) * fps).astype(int) + 1
                rows.append((kind, *ends))
    labels = pd.DataFrame(rows, columns=["kind", "onset", "offset"])
    return ScoredVideo(f"v{seed}", fps, np.clip(scores, 0, 1), labels)
