"""jaxspot finds micro- and macro-expressions in long face videos.

The names below are imported when they are first asked for, so that the parts without jax (tables,
matching, scores) load without it.
"""

import importlib

_HOMES = {
    "align_face": "jaxspot.video.align",
    "augment": "jaxspot.network.augment",
    "decide": "jaxspot.evaluation.protocols",
    "duration_table": "jaxspot.annotations.durations",
    "find_intervals": "jaxspot.spotting.intervals",
    "fit_decision": "jaxspot.evaluation.fitting",
    "gather_pool": "jaxspot.training.pool",
    "k_frame": "jaxspot.annotations.durations",
    "local_contrast_normalise": "jaxspot.network.lcn",
    "loso_folds": "jaxspot.training.folds",
    "match_intervals": "jaxspot.evaluation.matching",
    "move_to_neutral_ratio": "jaxspot.annotations.durations",
    "open_bank": "jaxspot.video.bank",
    "Protocol": "jaxspot.evaluation.protocols",
    "read_cas_me2": "jaxspot.annotations.cas_me2",
    "read_samm_lv": "jaxspot.annotations.samm_lv",
    "read_video": "jaxspot.video.decode",
    "score_intervals": "jaxspot.evaluation.f1",
    "score_video": "jaxspot.spotting.scoring",
    "synthetic_bank": "jaxspot.synthetic.generate",
    "train_loso": "jaxspot.training.loso",
    "Training": "jaxspot.training.step",
    "TwoStream": "jaxspot.network.model",
    "weighted_bce": "jaxspot.network.loss",
}


def __getattr__(name: str):
    if name not in _HOMES:
        raise AttributeError(f"module 'jaxspot' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
