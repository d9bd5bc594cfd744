"""LBCNN on a bank, trained leave-one-subject-out.

As published, by what others write of it: a network trained on ImageNet is the feature extractor;
features of local regions are pooled bilinearly; each frame is classified alone; runs of frames are
the intervals.

Filled in: The backbone is EfficientNet-Lite0 as far as its third stage, not ResNet18; its
weights stay as they are. The regions are the whole face, each brow with its eye, the nose and
the mouth. Features are brought to mean 0 and deviation 1 in each video. Published are three
classes (ME, MaE, neither); here a linear classifier for each kind says whether it is shown, as
labels overlap. Thresholds are those of other subjects, by inner folds, with our rule for
intervals.
"""

from typing import Any

import numpy as np
import pandas as pd

from jaxspot.annotations.intervals import KINDS
from jaxspot.baselines.lbcnn.backbone import Weights, image_net_weights
from jaxspot.baselines.lbcnn.features import WIDTH, bilinear_features
from jaxspot.baselines.lbcnn.network import Linear
from jaxspot.baselines.recurrent.features import ROWS_A_SECOND
from jaxspot.baselines.recurrent.folds import spot_recurrent
from jaxspot.baselines.recurrent.training import Recipe
from jaxspot.baselines.recurrent.windows import Windows
from jaxspot.video.bank import Bank

SINGLE = Windows(seconds=1 / ROWS_A_SECOND, steps=1)
NETWORK = Linear()
WINDOWS: dict[str, Windows] = {kind: SINGLE for kind in KINDS}
RECIPE = Recipe(weight_decay=10.0)


def lbcnn_bank(
    bank: Bank,
    *,
    recipe: Recipe = RECIPE,
    weights: Weights | None = None,
    **given: Any,
) -> tuple[dict[str, np.ndarray], pd.DataFrame]:
    """Spots each frame by itself, from bilinear features of the face and its regions, as a `Peer`.

    `weights` are those of `image_net_weights`, which raises UserError where they are not installed.
    """
    bank.frames(bank.videos.video.iloc[0])  # refuses a bank of region motion, first of all
    weights = image_net_weights() if weights is None else weights
    network: dict[str, Any] = dict(width=WIDTH, windows=WINDOWS, recipe=recipe)
    return spot_recurrent(bank, bilinear_features(weights), NETWORK, **network, **given)
