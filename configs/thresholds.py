"""Whose scores thresholds should be fitted on: on the people that choices are made on.

  jaxspot train --config=thresholds --out=runs/thresholds
  python launch/check_thresholds.py runs/thresholds/*/

Every row changes one thing about :best. All run on one bank (20 people, ten minutes of video; no
figure of the benchmark comes from it) and end in tables/table7.*, with each row's paired difference
from the first.
Arguments are the rows wanted, all by default; a level or fps200 may stand among them.

  inner         nothing changed: 8 groups, so 28 inner folds beside the 20 folds
  inner_4       4 groups: 6 inner folds, each trained on half of the people
  inner_6       6 groups: 15
  inner_12      12 groups: 66
  training      on the fold's own subjects, by its own network, as in the paper
  validation    on two subjects that no network of the fold trains on: two fewer to learn from
  roc           inner; by the ROC of single frames, as in the paper
  overall       inner; both kinds' thresholds together, for the F1 over both
  overall_training   the same on the fold's own subjects
"""

from typing import Any

from . import gains
from .ablations import set_rows

ROWS: dict[str, dict[str, Any]] = {
    "inner": {},
    "inner_4": {"protocol.inner_groups": 4},
    "inner_6": {"protocol.inner_groups": 6},
    "inner_12": {"protocol.inner_groups": 12},
    "training": {"protocol.fit": "training"},
    "validation": {"protocol.fit": "validation"},
    "roc": {"protocol.threshold": "roc"},
    "overall": {"protocol.threshold": "overall_f1"},
    "overall_training": {"protocol.threshold": "overall_f1", "protocol.fit": "training"},
}
ARGUMENTS = (*ROWS, *(name for name in gains.ARGUMENTS if name not in gains.ROWS))


def get_config(arguments: str = "") -> Any:
    """Settings of one row, or of several as `variants`; no control and no peers.

    Raises:
      UserError: an unknown argument.
    """
    names = list(dict.fromkeys(filter(None, arguments.split(","))))
    config = gains.get_config(",".join(["best", *(name for name in names if name not in ROWS)]))
    set_rows(config, {row: ROWS[row] for row in names if row in ROWS} or ROWS)
    return config
