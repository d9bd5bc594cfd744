"""The paper's Table 7 and section 4.3: the method without one of its parts.

  jaxspot train --config=ablations --out=runs/ablations
  jaxspot train --config=ablations:no_lcn --out=runs/no_lcn
  jaxspot train --config=ablations:no_lcn,samm_lv --config.data.bank=banks/samm_lv --out=runs/1

Arguments, in any order, combined by comma:
  synthetic (the default), samm_lv, cas_me2   whose settings the ablation starts from
  paper (the default), best, ...              what these take themselves, see their files
  a row of the table                          that run alone; several rows, or none for all of them,
                                              are runs on one bank that end in tables/table7.*

The rows, and the paper's overall F1 on SAMM-LV and CAS(ME)^2:
  full              "Original", nothing changed                                   0.1193  0.0497
  manual_skip       "Manual Frame Skip": searched around k, on validation subjects; the paper
                    searched on the test subject                                  0.1261  0.0620
  no_lcn            "No LCN": frames go in as they are, on a fixed range          0.0477  0.0073
  no_batch_norm     "No Batch Norm": the pointwise layers have a bias instead; best has no
                    blocks, there it equals full                                  0.0837  0.0045
  no_weighted_loss  "No Weighted Loss": eq. 2 with equal weights is a quarter of plain binary
                    cross-entropy; they have the same sum as the paper's, and so the learning
                    rate stays                                                    0.0673  0.0509
  no_dropout        "No Drop Out"                                                 0.0796  0.0384
  deep_no_lcn       no LCN, but "10 layers deep" (section 4.3, no figures): Figure 1 counts a
                    block as a layer and has 3, so there are 7 more; best has no blocks

0.0837 is a slip of the paper: no pooled F1 lies above that of both kinds, 0.0732 and 0.0229.

All seven rows are six trainings, as manual_skip trains as full does (with best, which has no
validation subjects otherwise, it trains on fewer people and is a seventh); a step of deep_no_lcn
takes four times as long as one of full or more. Of several rows the first alone has a negative
control. No figures of the table are known with the present settings of :paper.
"""

from typing import Any

from jaxspot.errors import UserError

from . import cas_me2, samm_lv, synthetic

DATA = {"synthetic": synthetic, "samm_lv": samm_lv, "cas_me2": cas_me2}
ROWS: dict[str, dict[str, Any]] = {
    "full": {},
    "manual_skip": {"protocol.frame_skip": "manual"},
    "no_lcn": {"model.lcn": False},
    "no_batch_norm": {"model.norm": "none"},
    "no_weighted_loss": {"training.presence_weight": 0.5, "training.kind_weights": (0.5, 0.5)},
    "no_dropout": {"model.dropout": 0.0},
    "deep_no_lcn": {"model.lcn": False, "model.extra_blocks": 7},
}
ARGUMENTS = (*ROWS, *DATA, *synthetic.ARGUMENTS)


def get_config(arguments: str = "") -> Any:
    """Settings of one row, or of several as `variants`.

    Raises:
      UserError: an unknown argument, or more than one data set.
    """
    names = dict.fromkeys(filter(None, arguments.split(",")))
    data, rows = ([name for name in names if name in known] for known in (DATA, ROWS))
    if len(data) > 1:
        raise UserError(f"config arguments {', '.join(data)} are several data sets; take one")
    others = ",".join(name for name in names if name not in DATA and name not in ROWS)
    try:
        config = DATA[data[0] if data else "synthetic"].get_config(others)
    except UserError as error:
        raise UserError(f"{error}, {', '.join((*DATA, *ROWS))}") from None
    set_rows(config, {row: ROWS[row] for row in rows or ROWS})
    return config


def set_rows(config: Any, rows: dict[str, dict[str, Any]]) -> None:
    """Makes a config that of one row, or of several runs on one bank; changes of each by name.

    Of several the first alone has a negative control.
    """
    if len(rows) == 1:
        (changes,) = rows.values()
        config.update_from_flattened_dict(changes)
    else:
        first, *others = ((row, tuple(changes.items())) for row, changes in rows.items())
        spared = (("control.folds", 0),)
        config.variants = (first, *((row, changes + spared) for row, changes in others))
