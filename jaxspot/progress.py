"""Progress bars: live on a terminal, a line now and then in a log file."""

import sys
from collections.abc import Iterable

from tqdm import tqdm

LOG_SECONDS = 20


def progress_bar(
    work: Iterable | None = None,
    *,
    desc: str,
    unit: str,
    total: int | None = None,
    initial: int = 0,
    shown: bool = True,
) -> tqdm:
    """A bar on standard error with what is done, the rate and the time left.

    `work` is passed on item by item; without it the caller calls `update`. `total` and `initial`
    are in units; `unit` is in the singular.
    """
    return tqdm(
        work,
        total=total,
        desc=desc,
        unit=unit,
        initial=initial,
        disable=not shown,
        mininterval=0.1 if sys.stderr.isatty() else LOG_SECONDS,
        maxinterval=LOG_SECONDS,
        smoothing=0.1,
    )
