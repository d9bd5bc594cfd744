"""What each part of :best gains, on the people that choices are made on.

  jaxspot train --config=gains --out=runs/gains
  jaxspot train --config=gains:best,two_references --out=runs/references

Every row changes one thing about :best, the last one two. All run on one bank (20 people, ten
minutes of video; no figure of the benchmark comes from it) and end in tables/table7.*, with each
row's paired difference from the first.
Arguments are the rows wanted, all by default; a level or fps200 may stand among them.

  best             nothing changed
  two_references   one k earlier, of ME and of MaE, as in the paper
  four_references  the same and one k later
  no_joint         no layer but the output sees all streams together
  drift            a shift of each frame on its own in augmentation (0.4 pixels)
  paper_skips      Table 3's ranges of random skips, not those near k
  early_stopping   at a patience of 5, the epoch of the lowest validation loss, as in the paper; so
                   one subject in eight validates and does not train
  ten_epochs       half as many steps
  roc              thresholds from the ROC, as in the paper, not for interval F1
  per_video        min-max of each video, as in the paper, not quantiles of training scores
  any_length       no limits of duration
  runs             an interval is a run of frames above the threshold, as in the paper
  not_nested       micro-expressions inside a macro-expression found are dropped
  runs_not_nested  both
"""

from typing import Any

from . import default, synthetic
from .ablations import set_rows

EARLIER, LATER = (("ME", 1.0), ("MaE", 1.0)), (("ME", -1.0), ("MaE", -1.0))
ROWS: dict[str, dict[str, Any]] = {
    "best": {},
    "two_references": {"model.references": EARLIER},
    "four_references": {"model.references": EARLIER + LATER},
    "no_joint": {"model.fusion_width": 0},
    "drift": {"augmentation.drift": 0.4},
    "paper_skips": {"training.skip_range_seconds": default.paper().training.skip_range_seconds},
    "early_stopping": {"training.patience": 5},
    "ten_epochs": {"training.epochs": 10},
    "roc": {"protocol.threshold": "roc"},
    "per_video": {"protocol.normalisation": "per_video"},
    "any_length": {"protocol.min_seconds": (0.0, 0.0), "protocol.max_seconds": (1e9, 1e9)},
    "runs": {"protocol.peak_share": 0.0},
    "not_nested": {"protocol.keep_nested": False},
    "runs_not_nested": {"protocol.peak_share": 0.0, "protocol.keep_nested": False},
}
ARGUMENTS = (*ROWS, *synthetic.LEVELS, "fps200")


def get_config(arguments: str = "") -> Any:
    """Settings of one row, or of several as `variants`; no control and no peers.

    Raises:
      UserError: an unknown argument.
    """
    names = list(dict.fromkeys(filter(None, arguments.split(","))))
    others = [name for name in names if name not in ROWS]
    config = synthetic.get_config(",".join(["benchmark", "choices", "best", *others]))
    config.control.folds, config.peers = 0, ()
    set_rows(config, {row: ROWS[row] for row in names if row in ROWS} or ROWS)
    return config
