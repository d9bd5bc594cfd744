"""Every setting, and why each open one is as it is; for any bank that `prepare` makes.

  jaxspot train --config=default --config.data.bank=BANK --out=runs/mine

An argument after a colon changes several settings at once; arguments combine by comma:
  :paper  the faithful settings (the default): what the paper prints, and where it is silent
  :best   our own: what measured better on synthetic faces; 32,000 samples, so a larger bank wants
          more epochs
  :convolution   the paper's trunk and references, tuned as far as they were before there was motion

Where the paper is silent, the faithful settings take:
  (fixed) gray frames; LCN's window has a
                          sigma of 3 pixels and mirrored borders; both streams are one batch for
                          batch normalisation, as they share all weights; one training subject in
                          eight validates; k comes from the training subjects' labels, both ends of
                          an interval counted.
  model.multiplier        8 filters on the one gray channel; a depthwise layer would learn one.
  model.widths            16, 32, 64: twelve thousand weights, "lightweight".
  model.pooling           max, 2x2, after blocks 1 and 2.
  model.dropout           0.1 of the channels after each block (Figure 1 prints no share).
  model.lcn, model.norm, model.extra_blocks
                          as printed: LCN, batch normalisation and three blocks; other values are
                          the ablations of Table 7, see ablations.py.
  model.trunk             convolution; "motion" sees how far each part of the face moved between the
                          two frames, which :best takes, and has no blocks.
  model.references        one k earlier, so that scores can stream; :best takes ten, earlier
                          and later, at once and twice k of ME, and half, once and twice k of MaE.
  model.skip_rounding_seconds
                          k is kept to the frame; :best rounds it to 1/30 s where frames are
                          closer, so that folds share their comparisons.
  model.fusion_width      no layer but the output sees both streams.
  training.optimiser      SGD with momentum 0.9 at the printed learning rate.
  training.steps          an epoch is 200 steps of 16 samples, one frame in seven of the synthetic
                          benchmark: neighbouring frames are near copies, so a pass over all frames
                          is no useful unit. samm_lv.py and cas_me2.py have longer epochs.
  training.epochs         60 at most, which early stopping seldom reaches.
  training.patience       5 epochs, as printed; :best trains all and keeps the last: two validation
                          subjects picked anything from epoch 2 to 20. So no subject validates there
                          and all others train.
  training.presence_weight
                          W = 0.9, of CAS(ME)^2; samm_lv.py has 0.75.
  training.kind_weights   M = 0.1 (ME) and 0.9 (MaE) as printed, though its sentence says the
                          opposite.
  training.skip_range_seconds
                          of ME and MaE, 3~9 and 16~50 frames at 30 fps (CAS(ME)^2 in Table 3),
                          kept in seconds; samm_lv.py has those of SAMM-LV.
  seeds                   several in place of seed: as many runs, mean and deviation of F1.
  variants                several runs with single settings changed, see ablations.py.
  data.inclusive          whether k counts both ends of an interval; cas_me2.py does not.
  protocol.threshold      from the ROC of single frames, as printed; :best takes "interval_f1", the
                          best F1 of intervals for each kind. "overall_f1" chooses both kinds
                          together, and may report none of one kind.
  protocol.fit            training: on the scores of a fold's own subjects by its own network; the
                          held-out one decides nothing. Networks are over-confident on people they
                          were trained on, so :best takes "inner": scores by networks of inner
                          folds, which have seen neither the subject nor the held-out one.
  protocol.inner_groups   with "inner": the subjects are dealt into that many groups, and a network
                          is trained without each pair of them.
  protocol.frame_skip     kth; "manual" searches around k on the validation subjects.
                          "test_oracle" is the paper's reading of either: it sees test labels.
  protocol.peak_share     0, runs of frames that reach the threshold, as printed; :best takes what
                          lies around each peak, above 0.7 of its height.
  control                 the negative control, trained and scored on labels moved by at least that
                          many seconds; 0 folds leave it out.
  peers                   methods scored beside ours: moilanen, mdmd, sp_fd, softnet. The others
                          take minutes on a bank of 20,000 frames, so moilanen alone by default.
  protocol.cycles         the Butterworth cut-off: that many periods in a mean expression.
"""

from typing import Any

from ml_collections import ConfigDict

from jaxspot.errors import UserError


def get_config(arguments: str = "") -> Any:
    """Settings for a prepared frame bank."""
    config = paper()
    apply(config, arguments, ARGUMENTS)
    return config


def paper() -> Any:
    """The faithful settings."""
    return ConfigDict(
        dict(
            seed=0,
            seeds=(),
            variants=(),
            data=dict(name="bank", bank="", synthetic=None, inclusive=True),
            model=dict(
                widths=(16, 32, 64),
                multiplier=8,
                pooling="max",
                pool_grid=1,
                kernel_init="random",
                dropout=0.1,
                lcn=True,
                norm="batch",
                extra_blocks=0,
                trunk="convolution",
                references=(("ME", 1.0), ("MaE", 1.0)),
                skip_rounding_seconds=0.0,
                fusion_width=0,
            ),
            augmentation=dict(
                contrast=(0.5, 1.5),
                gamma=(0.5, 1.5),
                gain=(0.5, 1.5),
                rotation=10.0,
                flip=0.5,
                drift=0.0,
            ),
            training=dict(
                epochs=60,
                steps=200,
                batch=16,
                validation_batches=16,
                patience=5,
                optimiser="sgd",
                learning_rate=0.015,
                decay="constant",
                presence_weight=0.9,
                kind_weights=(0.1, 0.9),
                skip_range_seconds=((3 / 30, 9 / 30), (16 / 30, 50 / 30)),
                averaging=0.0,
                balance=0.0,
            ),
            protocol=dict(
                matching="one_to_one",
                iou=0.5,
                threshold="roc",
                fit="training",
                inner_groups=8,
                frame_skip="kth",
                normalisation="per_video",
                quantiles=(0.01, 0.99),
                cycles=1.0,
                order=2,
                min_seconds=(0.0, 0.0),
                max_seconds=(1e9, 1e9),
                peak_share=0.0,
                merge_seconds=(0.0, 0.0),
                keep_nested=True,
            ),
            control=dict(folds=4, seconds=10.0),
            peers=("moilanen",),
        )
    )


def best(config: Any) -> None:
    """Our settings: what measured better on synthetic faces."""
    _tuned(config)
    config.model.trunk = "motion"
    config.model.references = tuple(
        (kind, side * times)
        for kind, multiples in (("ME", (1.0, 2.0)), ("MaE", (0.5, 1.0, 2.0)))
        for times in multiples
        for side in (1, -1)
    )
    config.model.skip_rounding_seconds = 1 / 30
    config.model.fusion_width = 64
    config.model.dropout = 0.2
    config.training.epochs = 20
    config.training.patience = 0
    config.training.skip_range_seconds = ((0.1, 0.2), (0.65, 1.1))
    config.training.batch = 32
    config.training.validation_batches = 8
    config.protocol.peak_share = 0.7


def convolution(config: Any) -> None:
    """The paper's trunk and references, tuned as far as they were before there was motion."""
    _tuned(config)
    config.model.pooling = "average"
    config.model.pool_grid = 7
    config.model.kernel_init = "difference"
    config.model.dropout = 0.0
    config.augmentation.drift = 0.4
    config.training.epochs = 10
    config.protocol.keep_nested = False


def _tuned(config):
    config.training.steps = 50
    config.training.averaging = 0.98
    config.training.optimiser = "adam"
    config.training.learning_rate = 0.003
    config.training.decay = "cosine"
    config.training.presence_weight = 0.85
    config.training.kind_weights = (0.5, 0.5)
    config.protocol.threshold = "interval_f1"
    config.protocol.fit = "inner"
    config.protocol.normalisation = "train_quantiles"
    config.protocol.min_seconds = (0.1, 0.4)
    config.protocol.max_seconds = (0.6, 1e9)


ARGUMENTS = {"paper": lambda config: None, "best": best, "convolution": convolution}
"""What a config argument does to the faithful settings, by name."""


def apply(config: Any, arguments: str, changes: dict) -> None:
    """Applies the changes named after the colon, in their order.

    Raises:
      UserError: a name that is not among `changes`.
    """
    for name in filter(None, arguments.split(",")):
        if name not in changes:
            raise UserError(f"config argument {name!r} is unknown; take {', '.join(changes)}")
        changes[name](config)
