"""Every setting, for any bank that `prepare` makes, and the reason for each open one.

  jaxspot train --config=default --config.data.bank=BANK --out=runs/mine

An argument after a colon changes several settings at once; arguments combine by comma:
  :paper         the faithful settings (the default): the paper's, and the choices below
  :best          our own: what measured better on synthetic faces; 32,000 samples, so a larger bank
                 wants more epochs
  :motion        for a bank of region motion: how far places of the face moved, in place of pictures
  :causal        only earlier references, for `jaxspot live`; after another argument
  :convolution   the paper's trunk and references, tuned as far as they were before there was motion

Defaults and meanings stand in the classes that the sections go to: `Convolution`, `Streams` and
`TwoStream` (model), `Augmentation`, `Training`, `Protocol` and `IntervalRule` (protocol). Where the
paper is silent, :paper takes:
  (fixed)                      gray frames; an LCN window of sigma 3 pixels with mirrored borders;
                               both streams in one batch for batch normalisation, as they share all
                               weights; one training subject in eight validates
  model.multiplier             8 filters on the one gray channel: a single one would learn little
  model.widths, model.pooling  16, 32, 64 (12,000 weights, "lightweight"); max after blocks 1 and 2
  model.dropout                0.1 after each block; Figure 1 prints no share
  model.references             one k earlier, so that scores can stream; :best takes ten around
                               the frame
  model.trunk                  convolution; :best takes "motion", how far parts of the face moved
  training.optimiser           SGD with momentum 0.9 at the printed learning rate
  training.epochs, .steps      at most 60 epochs of 200 steps of 16 samples, one frame in seven of
                               the synthetic benchmark: neighbouring frames are near copies
  training.patience            5, as printed. :best trains all epochs and keeps the last: with two
                               validation subjects early stopping kept anything from epoch 2 to 20.
                               So nobody validates there
  training.presence_weight     W = 0.9, of CAS(ME)^2; samm_lv.py has 0.75
  training.kind_weights        M = 0.1 (ME) and 0.9 (MaE) as printed; the text says the opposite
  training.skip_range_seconds  3~9 and 16~50 frames at 30 fps (CAS(ME)^2 in Table 3), in seconds
  data.inclusive               k counts both ends of an interval; cas_me2.py does not
  protocol.threshold           the ROC of single frames, as printed; :best takes "interval_f1".
                               "overall_f1" may report none of one kind
  protocol.fit                 "training": a fold's own subjects, by its own network. Networks are
                               over-confident on people they were trained on, so :best takes "inner"
  protocol.frame_skip          "kth". "test_oracle", here and of the threshold, is the paper's
                               reading: it sees test labels
  protocol.cycles              1 period of the Butterworth cut-off in a mean expression
  protocol.mean_lengths        0, an interval ends where its curve falls; :motion gives an ME
                               the mean duration of the training subjects
  protocol.baseline_seconds    0, scores as they are; above 0, log odds above their running baseline
  protocol.peak_share          0, runs of frames, as printed; :best takes 0.7
Beside these:
  start            a trained spotter (see `spot --weights`) whose weights all networks start from;
                   its network must be the same. "shipped": those that come with jaxspot; empty:
                   random weights. If the spotter was trained on people of the bank, they are no
                   longer held out
  seeds, variants  several seeds in place of one; several runs with settings changed (ablations.py)
  control          the negative control: how many folds are trained and scored on labels moved by at
                   least so many seconds; 0 folds leave it out
  peers            methods scored beside ours (docs/peers.md): moilanen, mdmd, sp_fd, hog3d,
                   blendshapes, softnet, hoof_lstm, lbp_top, hog_top, higo_top, two_stream, lbcnn.
                   All but moilanen and hog3d take minutes on a bank of 20,000 frames. For region
                   motion: hoof_lstm, and boosting, four processor minutes for 250,000 frames
"""

import dataclasses
from typing import Any

from ml_collections import ConfigDict

from jaxspot.errors import UserError
from jaxspot.evaluation.protocol import Protocol
from jaxspot.experiment.settings import Control
from jaxspot.network.augment import Augmentation
from jaxspot.network.model import build_model, model_fields
from jaxspot.spotting.automated_iou import IntervalRule
from jaxspot.training.step import Training

SET_BY_RUN = ("seed", "cutoff_hz", "length_seconds")


def get_config(arguments: str = "") -> Any:
    """Settings for a prepared frame bank."""
    config = paper()
    apply(config, arguments, ARGUMENTS)
    return config


def paper() -> Any:
    """The faithful settings: the defaults of the classes that they go to."""
    model = model_fields(build_model(dropout=0.1))
    return ConfigDict(
        dict(
            seed=0,
            start="",
            seeds=(),
            variants=(),
            data=dict(name="bank", bank="", synthetic=None, inclusive=True),
            model={k: v for k, v in model.items() if k not in SET_BY_RUN},
            augmentation=default_settings(Augmentation),
            training=default_settings(Training),
            protocol=default_settings(Protocol, IntervalRule),
            control=default_settings(Control),
            peers=("moilanen",),
        )
    )


def default_settings(*kinds: type) -> dict[str, Any]:
    """Name -> default of the fields of some dataclasses, but for what a run sets itself."""
    fields = [field for kind in kinds for field in dataclasses.fields(kind)]
    return {field.name: field.default for field in fields if field.name not in SET_BY_RUN}


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


def motion(config: Any) -> None:
    """For region motion: what measured well on CAS(ME)^2, with thresholds by inner folds."""
    best(config)
    config.model.trunk = "regions"
    config.model.references = tuple(
        (kind, side * times)
        for kind, multiples in (
            ("ME", (1 / 6, 1 / 3, 1 / 2, 2 / 3, 1.0, 4 / 3)),
            ("MaE", (0.6, 0.85, 1.2, 1.7, 2.4, 3.4)),
        )
        for times in multiples
        for side in (1, -1)
    )
    config.model.fusion_width = 0
    config.model.dropout = 0.5
    config.augmentation.amplitude = (0.7, 1.4)
    config.training.epochs = 4
    config.training.steps = 125
    config.training.batch = 256
    config.training.averaging = 0.0
    config.training.learning_rate = 0.002
    config.training.balance = 0.75
    config.training.presence_weight = 0.5
    config.training.skip_range_seconds = ((0.2, 0.2), (0.63, 0.63))
    config.protocol.mean_lengths = (1.0, 0.0)
    config.peers = ("boosting",)


def causal(config: Any) -> None:
    """Leaves out the references that are later than the frame, so that scores can stream."""
    earlier = tuple(pair for pair in config.model.references if pair[1] > 0)
    config.model.references = earlier


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


ARGUMENTS = {
    "paper": lambda config: None,
    "best": best,
    "motion": motion,
    "convolution": convolution,
    "causal": causal,
}
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
