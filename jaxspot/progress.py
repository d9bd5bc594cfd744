"""Progress bars: live on a terminal, a line now and then in a log file."""

import sys

from tqdm import tqdm

LOG_SECONDS = 20


def progress_bar(*, total: int, desc: str, unit: str, initial: int = 0, shown: bool = True) -> tqdm:
    """A bar on standard error with what is done, the rate and the time left.

    Args:
      total: of the work, in units.
      desc: what is being done.
      unit: of the work, in the singular.
      initial: what was done before.
      shown: false for a silent one.
    """
    return tqdm(
        total=total,
        desc=desc,
        unit=unit,
        initial=initial,
        disable=not shown,
        mininterval=0.1 if sys.stderr.isatty() else LOG_SECONDS,
        maxinterval=LOG_SECONDS,
        smoothing=0.1,
    )
