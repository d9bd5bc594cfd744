"""Progress bars: live on a terminal, a line now and then in a log file."""

import sys
from collections.abc import Iterable
from typing import Any

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
    options: Any = dict(desc=desc, total=total, unit=unit, initial=initial, disable=not shown)
    often = 0.1 if sys.stderr.isatty() else LOG_SECONDS
    return tqdm(work, mininterval=often, maxinterval=LOG_SECONDS, smoothing=0.1, **options)
