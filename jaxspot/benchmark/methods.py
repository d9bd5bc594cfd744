"""The row `methods`: frames a second of `:best` beside `:paper` and the peers, scoring a video."""

import tempfile
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from typing import Any

import numpy as np

from jaxspot.annotations.intervals import KINDS
from jaxspot.baselines import hoof_lstm, top_lstm
from jaxspot.baselines.hog3d import hog3d
from jaxspot.baselines.lbcnn import spotting as lbcnn
from jaxspot.baselines.lbcnn.backbone import PACKAGE, image_net_weights
from jaxspot.baselines.lbcnn.features import bilinear_features
from jaxspot.baselines.mdmd import mdmd
from jaxspot.baselines.moilanen import moilanen
from jaxspot.baselines.recurrent.features import write_features
from jaxspot.baselines.recurrent.folds import score_videos
from jaxspot.baselines.recurrent.training import start_networks as start_recurrent
from jaxspot.baselines.softnet.inputs import write_inputs
from jaxspot.baselines.softnet.spotting import spot_folds
from jaxspot.baselines.softnet.training import start_networks
from jaxspot.baselines.sp_fd import sp_fd
from jaxspot.baselines.two_stream import spotting as two_stream
from jaxspot.benchmark.measure import Machine, Row, compare_speed
from jaxspot.benchmark.work import BEST, PAPER, one_network
from jaxspot.network.model import TwoStream
from jaxspot.network.streams import stream_skips
from jaxspot.spotting.scoring import score_video
from jaxspot.synthetic.generate import synthetic_bank
from jaxspot.training.folds import Fold
from jaxspot.training.inner_folds import Networks
from jaxspot.video.bank import Bank

K = {"ME": 4, "MaE": 26}
"""Those of the benchmark at 30 fps."""


def methods(_: Machine, *, seconds: float = 20.0) -> list[Row]:
    """A synthetic video at 30 fps from uint8 frames to scores, by networks at their start."""
    with tempfile.TemporaryDirectory(prefix="methods-") as folder:
        bank = synthetic_bank(f"{folder}/bank", subjects=1, seconds=seconds, progress=False)
        frames = np.asarray(bank.frames(bank.videos.video.item()))
        peers = {
            ":paper": scorer(PAPER, frames),
            "moilanen": partial(moilanen, frames, k=K),
            "mdmd": partial(mdmd, frames, fps=30.0),
            "sp_fd": partial(sp_fd, frames, fps=30.0),
            "hog3d": partial(hog3d, frames, fps=30.0, k=K),
            "softnet": softnet(bank, f"{folder}/inputs.npy"),
            **recurrent(bank, f"{folder}/features.npy"),
        }
        per_second = lambda taken: len(frames) / taken
        ours = scorer(BEST, frames)
        return compare_speed("methods", ours, peers, unit="frames/s", convert=per_second, rounds=3)


def scorer(model: TwoStream, frames: np.ndarray) -> Callable[[], Any]:
    """A call that scores the frames by one network."""
    skips = stream_skips([[K[kind] for kind in KINDS]], model.streams.references)
    return partial(score_video, model, one_network(model), frames, skips=skips)


def softnet(bank: Bank, path: str) -> Callable[[], Any]:
    """A call that makes SOFTNet's inputs of one video and scores them, a network for each kind."""
    folds, params = [Fold(bank.videos.subject.item(), (), ())], start_networks([[0, 0], [0, 1]])

    def run():
        inputs = write_inputs(bank, {bank.videos.video.item(): set(K.values())}, path)
        return spot_folds(bank, inputs, params, folds=folds, k=lambda subject, fps: K)

    return run


def recurrent(bank: Bank, path: str) -> dict[str, Callable[[], Any]]:
    """Calls that make the features of a video and score them, a network for each kind, by peer."""
    hoof, top = (hoof_lstm.NETWORK, hoof_lstm.WINDOWS), (top_lstm.NETWORK, top_lstm.WINDOWS)
    peers = {
        "hoof_lstm": (hoof_lstm.flow_histograms, *hoof),
        "lbp_top": (top_lstm.extractor(top_lstm.lbp_histograms), *top),
        "hog_top": (top_lstm.extractor(top_lstm.hog_histograms), *top),
        "higo_top": (top_lstm.extractor(top_lstm.higo_histograms), *top),
        "two_stream": (two_stream.pictures_and_flow, two_stream.NETWORK, two_stream.WINDOWS),
    }
    if find_spec(PACKAGE):
        extract = bilinear_features(image_net_weights())
        peers["lbcnn"] = (extract, lbcnn.NETWORK, lbcnn.WINDOWS)
    return {name: _recurrent(bank, path, *parts) for name, parts in peers.items()}


def _recurrent(bank, path, extract, network, windows):
    fold = Fold(bank.videos.subject.item(), (), ())
    networks = Networks((fold,), (), ({fold.held_out: 0},))
    width = len(next(extract(bank, bank.videos.video.item(), 1)))
    params = {
        kind: start_recurrent(network, [fold], windows[kind], width, seed=0) for kind in KINDS
    }

    def run():
        features = write_features(bank, extract, path, width=width)
        return score_videos(bank, features, network, params, networks, windows)

    return run
