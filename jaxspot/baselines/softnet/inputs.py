"""SOFTNet's inputs: flow and optical strain of pairs of frames around brows and mouth, 42 x 42."""

import dataclasses
from collections.abc import Callable, Mapping, Set
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from jaxspot.baselines.dense_flow import dense_flow
from jaxspot.video.align import openface_template
from jaxspot.video.bank import SIZE, Bank

SIDE = 42
AROUND_REGION, AROUND_EYE, NOSE = 10, 13, 4
"""Margins in pixels: 12, 15 and 5 of the 128-pixel faces of the published code."""


@dataclasses.dataclass(frozen=True)
class Inputs:
    """The inputs of a bank's pairs of frames, on disk.

    `images` are uint8 (rows, 42, 42, 3): u, v and strain. `starts` maps (video, skip) to the row of
    the pair of frames 0 and `skip`; the other pairs follow in order.
    """

    images: np.ndarray
    starts: dict[tuple[str, int], int]


def rounded_skip(k: int) -> int:
    """k with its five leading bits, at least 1: off by less than 1 in 32.

    k differs little between folds, so most share their flow; it depends on the fold's own k alone.
    """
    step = 1 << max(int(k).bit_length() - 5, 0)
    return max(round(k / step) * step, 1)


def write_inputs(
    bank: Bank,
    skips: Mapping[str, Set[int]],
    path: str | Path,
    *,
    on_share: Callable[[float], object] = lambda share: None,
) -> Inputs:
    """Writes the inputs of every video at its skips, in frames, to the file `path`.

    A video that is not longer than a skip has no pair. Memory does not grow with the bank.
    `on_share` is called with the share of the pairs that is done.
    """
    total = dict(zip(bank.videos.video, bank.videos.frames, strict=True))
    starts, rows = {}, 0
    for video in skips:
        for skip in sorted(skips[video]):
            starts[video, skip] = rows
            rows += max(int(total[video]) - skip, 0)
    shape = (max(rows, 1), SIDE, SIDE, 3)  # an empty file cannot be mapped
    flow = dense_flow()
    images = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=shape)
    for (video, skip), start in starts.items():
        frames = bank.frames(video)
        for i in range(len(frames) - skip):
            images[start + i] = pair_image(flow(frames[i], frames[i + skip]))
            on_share((start + i + 1) / rows)
    return Inputs(images, starts)


def pair_image(flow: np.ndarray) -> np.ndarray:
    """The network's input, uint8 (42, 42, 3), from the flow (112, 112, 2) of two aligned faces.

    |u|, |v| and strain, less the nose's, eyes masked; brows above mouth, each stretched to 0..255.
    """
    maps = np.dstack([flow, optical_strain(flow)])
    regions, nose, eyes = face_regions()
    maps -= maps[nose].mean(axis=(0, 1))
    np.abs(maps[..., :2], out=maps[..., :2])
    maps[eyes] = 0
    halves = [cv2.resize(maps[region], (SIDE, SIDE // 2)) for region in regions]
    return stretch(np.concatenate(halves))


def optical_strain(flow: np.ndarray) -> np.ndarray:
    """Size of the strain tensor, sqrt(u_x^2 + v_y^2 + (u_y + v_x)^2 / 2), float32 (H, W)."""
    u_y, u_x = np.gradient(flow[..., 0])
    v_y, v_x = np.gradient(flow[..., 1])
    return np.sqrt(u_x**2 + v_y**2 + (u_y + v_x) ** 2 / 2)


def stretch(maps: np.ndarray) -> np.ndarray:
    """Each channel of (H, W, C) spread over 0..255, as uint8; a flat channel is 0."""
    low, high = maps.min(axis=(0, 1)), maps.max(axis=(0, 1))
    scale = 255 / np.where(high > low, high - low, 1)
    return np.rint((maps - low) * scale).astype(np.uint8)


@cache
def face_regions() -> tuple[tuple[tuple[slice, slice], ...], tuple[slice, slice], np.ndarray]:
    """Slices of an aligned face's brows and mouth, of its nose, and a bool (112, 112) eye mask."""
    points = openface_template()
    box = lambda left, top, right, bottom: (_slice(top, bottom), _slice(left, right))
    x, y, margin = points[:, 0], points[:, 1], AROUND_REGION
    top, bottom = min(y[19], y[24]) - margin, max(y[41], y[46]) + margin
    brows = box(x[17] - margin, top, x[26] + margin, bottom)
    mouth = box(x[60] - margin, y[50] - margin, x[64] + margin, y[57] + margin)
    nose = box(x[28] - NOSE, y[28] - NOSE, x[28] + NOSE + 1, y[28] + NOSE + 1)
    mask = np.zeros((SIZE, SIZE), np.uint8)
    out, up = AROUND_EYE * np.array([[1, 0], [0, -1]])
    for first in (36, 42):
        away = np.stack([-out, up, up, out, -up, -up])
        corners = np.clip(np.rint(points[first : first + 6] + away), 0, SIZE - 1)
        cv2.fillPoly(mask, [corners.astype(np.int32)], 1)
    return (brows, mouth), nose, mask.astype(bool)


def _slice(first, last):
    return slice(max(round(first), 0), min(round(last), SIZE))
