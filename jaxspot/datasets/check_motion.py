"""What the region motion of a bank or a pack looks like, and what of it cannot be used."""

from collections.abc import Iterable

import numpy as np

from jaxspot.datasets.checks import Check, expect_none
from jaxspot.motion.regions import Regions


def check_motion(videos: Iterable[tuple[str, np.ndarray]], regions: Regions) -> list[Check]:
    """Rows, values that are not finite, videos and rows of zeros, and how far each region moves.

    `videos` gives names and region motion, see `Bank.motion`; one video is in memory at a time.
    """
    rows, zero_rows, medians = 0, 0, []
    bad: list[str] = []
    still: list[str] = []
    for video, motion in videos:  # row 0 of each is 0 by definition
        finite = np.isfinite(motion).all((1, 2))
        if not finite.all():
            bad.append(f"{video} {int((~finite).sum())} rows")
            continue
        moves = motion[1:].any((1, 2))
        rows, zero_rows = rows + len(motion), zero_rows + int((~moves).sum())
        if moves.any():
            medians.append(np.median(np.hypot(*np.moveaxis(motion[1:], -1, 0)), axis=0))
        else:
            still.append(video)
    again = "make or copy these again"
    every = f", one in {regions.every} frames" if regions.every > 1 else ""
    checks = [
        Check("rows of region motion", f"{rows:,}{every}"),
        expect_none("videos with NaN or infinite motion", bad, again),
        expect_none("videos whose motion is all 0", still, again),
        Check("rows without any motion", f"{zero_rows / max(rows, 1):.2%}"),
    ]
    if medians:
        pairs = zip(regions.names, np.median(medians, axis=0), strict=True)
        moved = "; ".join(f"{name} {length:.3f}" for name, length in pairs)
        checks.append(Check("median motion a row, in pixels of the crop", moved))
    return checks
