"""The methods that results are compared with: each maps a bank to scores and intervals."""

from jaxspot.baselines.blendshapes import blendshapes
from jaxspot.baselines.by_video import Peer, by_video
from jaxspot.baselines.hog3d import hog3d
from jaxspot.baselines.mdmd import mdmd
from jaxspot.baselines.moilanen import moilanen
from jaxspot.baselines.sp_fd import sp_fd


def softnet(bank, **given):
    """`softnet_bank`, imported when called: it alone needs jax."""
    from jaxspot.baselines.softnet.folds import softnet_bank

    return softnet_bank(bank, **given)


def two_stream(bank, **given):
    """`two_stream_bank`, imported when called: it needs jax."""
    from jaxspot.baselines.two_stream.spotting import two_stream_bank

    return two_stream_bank(bank, **given)


def lbcnn(bank, **given):
    """`lbcnn_bank`, imported when called: it needs jax."""
    from jaxspot.baselines.lbcnn.spotting import lbcnn_bank

    return lbcnn_bank(bank, **given)


def boosting(bank, **given):
    """`boosting.boosting`, imported when called: scikit-learn's trees are for it alone."""
    from jaxspot.baselines.boosting import boosting

    return boosting(bank, **given)


PEERS: dict[str, Peer] = {
    "moilanen": by_video(moilanen, takes=("k",)),
    "mdmd": by_video(mdmd),
    "sp_fd": by_video(sp_fd),
    "hog3d": by_video(hog3d, takes=("fps", "k")),
    "blendshapes": by_video(blendshapes, takes=("k",)),
    "softnet": softnet,
    "two_stream": two_stream,
    "lbcnn": lbcnn,
    "boosting": boosting,
}
ON_MOTION = frozenset({"boosting"})
"""The peers for banks of region motion; the others need pictures."""
TRAINED = frozenset({"softnet", "two_stream", "lbcnn", "boosting"})
"""The peers that train, leave-one-subject-out."""
