"""The methods that results are compared with: each maps a bank to scores and intervals."""

from importlib import import_module

from jaxspot.baselines.blendshapes import blendshapes
from jaxspot.baselines.by_video import Peer, by_video
from jaxspot.baselines.hog3d import hog3d
from jaxspot.baselines.mdmd import mdmd
from jaxspot.baselines.moilanen import moilanen
from jaxspot.baselines.sp_fd import sp_fd


def _later(module: str, name: str) -> Peer:
    """A peer that is imported when it is called, since its libraries take long to import."""

    def spot(bank, **given):
        return getattr(import_module(f"jaxspot.baselines.{module}"), name)(bank, **given)

    return spot


PEERS: dict[str, Peer] = {
    "moilanen": by_video(moilanen, takes=("k",)),
    "mdmd": by_video(mdmd),
    "sp_fd": by_video(sp_fd),
    "hog3d": by_video(hog3d, takes=("fps", "k")),
    "blendshapes": by_video(blendshapes, takes=("k",)),
    "softnet": _later("softnet.folds", "softnet_bank"),
    "hoof_lstm": _later("hoof_lstm", "hoof_lstm"),
    "lbp_top": _later("top_lstm", "lbp_top"),
    "hog_top": _later("top_lstm", "hog_top"),
    "higo_top": _later("top_lstm", "higo_top"),
    "two_stream": _later("two_stream.spotting", "two_stream_bank"),
    "lbcnn": _later("lbcnn.spotting", "lbcnn_bank"),
    "boosting": _later("boosting", "boosting"),
}
ON_MOTION = frozenset({"hoof_lstm", "boosting"})
"""The peers for banks of region motion."""
ON_PICTURES = frozenset(PEERS) - {"boosting"}
"""The peers for banks of frames."""
TRAINED = ON_MOTION | {"softnet", "lbp_top", "hog_top", "higo_top", "two_stream", "lbcnn"}
"""The peers that train, leave-one-subject-out."""
