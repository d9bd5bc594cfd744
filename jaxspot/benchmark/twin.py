"""LCN, augmentation, network, loss and scores in PyTorch, for the benchmark and a parity test.

Written as a PyTorch user would, in the layout that is fastest there (2D convolutions, channels
last). The paper's form: maximum pooling, global average, no dropout.
"""

# pyright: reportMissingImports=false
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from jaxspot.network.augment import Augmentation
from jaxspot.network.blocks import EPSILON
from jaxspot.network.lcn import FLAT, SIGMA, TRUNCATE, gaussian_window
from jaxspot.training.step import Training

BATCH = 32


def local_contrast_normalise(images: Tensor) -> Tensor:
    """Paper eq. 1: float (..., height, width) in 0..1 -> the same shape."""
    window = torch.tensor(gaussian_window(SIGMA, TRUNCATE), dtype=images.dtype)
    flat = images.reshape(-1, 1, *images.shape[-2:])
    difference = flat - blur(flat, window)
    deviation = blur(difference**2, window).sqrt()
    floor = deviation.mean((-2, -1), keepdim=True)
    floor = torch.where(floor > FLAT, floor, torch.inf)
    return (difference / torch.maximum(deviation, floor)).reshape(images.shape)


def blur(images: Tensor, window: Tensor) -> Tensor:
    """Separable convolution of (n, 1, height, width), borders mirrored about the edge."""
    mirrored = lambda size: np.pad(np.arange(size), len(window) // 2, mode="symmetric")
    rows, columns = (torch.from_numpy(mirrored(size)) for size in images.shape[-2:])
    images = F.conv2d(images[..., rows, :], window.view(1, 1, -1, 1))
    return F.conv2d(images[..., columns], window.view(1, 1, 1, -1))


def augment(frames: Tensor, generator: torch.Generator, ranges: Augmentation) -> Tensor:
    """One draw for all frames of a sample: uint8 (batch, frames, h, w) -> float32 in 0..1."""
    batch, _, height, width = frames.shape
    draw = lambda low, high: low + (high - low) * torch.rand((batch, 1, 1, 1), generator=generator)
    contrast, gamma, gain = (draw(*r) for r in (ranges.contrast, ranges.gamma, ranges.gain))
    angle = draw(-1.0, 1.0).view(-1) * np.deg2rad(ranges.rotation)
    mirror = torch.where(torch.rand(batch, generator=generator) < ranges.flip, -1.0, 1.0)
    cos, sin, zero = angle.cos(), angle.sin(), torch.zeros(batch)
    rows = [torch.stack([mirror * cos, -mirror * sin, zero], 1), torch.stack([sin, cos, zero], 1)]
    grid = F.affine_grid(torch.stack(rows, 1), [batch, 1, height, width], align_corners=True)
    moved = F.grid_sample(frames.float() / 255, grid, padding_mode="border", align_corners=True)
    x = gain * moved.clamp_min(1e-4) ** gamma
    mean = x.mean((1, 2, 3), keepdim=True)
    return ((x - mean) * contrast + mean).clamp(0, 1)


def block(inputs: int, filters: int, features: int, *, groups: int, pool: int) -> nn.Sequential:
    """Float (n, inputs, h, w) -> (n, features, h / pool, w / pool)."""
    return nn.Sequential(
        OrderedDict(
            depthwise=nn.Conv2d(inputs, filters, 3, padding=1, groups=groups, bias=False),
            pointwise=nn.Conv2d(filters, features, 1, bias=False),
            norm=nn.BatchNorm2d(features, eps=EPSILON),
            relu=nn.ReLU(),
            pool=nn.MaxPool2d(pool) if pool > 1 else nn.Identity(),
        )
    )


class TwoStreamTwin(nn.Module):
    """`TwoStream` of the paper's form; a pair's two frames are two input channels."""

    def __init__(self, widths: tuple[int, int, int] = (16, 32, 64), multiplier: int = 8):
        super().__init__()
        one, two, three = widths
        self.blocks = nn.Sequential(
            block(2, multiplier, one, groups=1, pool=2),
            block(one, one, two, groups=one, pool=2),
            block(two, two, three, groups=two, pool=1),
        )
        self.hidden, self.back = nn.Linear(three, three), nn.Linear(three, three)
        self.output = nn.Linear(2 * three, 2)

    def forward(self, frames: Tensor) -> Tensor:
        """Float (batch, 3, height, width), normalised -> logits (batch, 2)."""
        pairs = torch.stack([frames[:, [0, 1]], frames[:, [0, 2]]], 1).flatten(0, 1)
        x = self.blocks(pairs.contiguous(memory_format=torch.channels_last)).mean((2, 3))
        x = x + self.back(F.relu(self.hidden(x)))
        return self.output(x.view(len(frames), -1))


def weighted_bce(
    logits: Tensor, labels: Tensor, *, presence_weight: float, kind_weights: tuple[float, float]
) -> Tensor:
    """Paper eq. 2, a mean over the batch."""
    positive = presence_weight * labels * F.logsigmoid(logits)
    negative = (1 - presence_weight) * (1 - labels) * F.logsigmoid(-logits)
    return -((positive + negative) * torch.tensor(kind_weights)).sum(-1).mean()


def load_variables(twin: TwoStreamTwin, variables: Mapping[str, Any]) -> None:
    """Copies {"params", "batch_stats"} of `TwoStream` into the twin."""
    params, stats = variables["params"], variables["batch_stats"]
    tensor = lambda array: torch.from_numpy(np.array(array))
    state = {}
    for number, name in enumerate(("PairBlock_0", "SeparableBlock_0", "SeparableBlock_1")):
        kernel = np.moveaxis(np.array(params[name]["depthwise"]), -1, 0)
        here = f"blocks.{number}"
        state[f"{here}.depthwise.weight"] = tensor(kernel.reshape(len(kernel), -1, 3, 3))
        pointwise = np.array(params[name]["pointwise"]).T
        state[f"{here}.pointwise.weight"] = tensor(pointwise[:, :, None, None])
        norm = params[name]["BatchNorm_0"] | stats[name]["BatchNorm_0"]
        names = dict(weight="scale", bias="bias", running_mean="mean", running_var="var")
        state |= {f"{here}.norm.{ours}": tensor(norm[theirs]) for ours, theirs in names.items()}
        state[f"{here}.norm.num_batches_tracked"] = torch.tensor(0)
    dense = params["ResidualDense_0"] | {"Output": params["Output"]}
    for ours, theirs in dict(hidden="Dense_0", back="Dense_1", output="Output").items():
        state[f"{ours}.weight"] = tensor(np.array(dense[theirs]["kernel"]).T)
        state[f"{ours}.bias"] = tensor(dense[theirs]["bias"])
    twin.load_state_dict(state)


def torch_step(frames: np.ndarray, labels: np.ndarray, training: Training) -> Callable[[], Any]:
    """A call that takes one step on uint8 (batch, 3, height, width) with Adam."""
    model = TwoStreamTwin().to(memory_format=torch.channels_last)
    optimiser = torch.optim.Adam(model.parameters(), lr=training.learning_rate)
    generator = torch.Generator().manual_seed(0)
    images, targets = torch.from_numpy(frames), torch.from_numpy(labels)
    weights: dict[str, Any] = dict(
        presence_weight=training.presence_weight, kind_weights=training.kind_weights
    )

    def step() -> float:
        seen = local_contrast_normalise(augment(images, generator, Augmentation()))
        loss = weighted_bce(model(seen), targets, **weights)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        return loss.item()

    return step


def torch_scores(
    variables: Mapping[str, Any], frames: np.ndarray, skips: np.ndarray
) -> dict[str, Callable[[], Any]]:
    """Calls that score a video uint8 (T, h, w), with LCN of every sample or once a frame."""
    model = TwoStreamTwin().to(memory_format=torch.channels_last).eval()
    load_variables(model, variables)
    images = torch.from_numpy(frames)
    number = np.arange(len(frames))
    places = np.stack([number, *(np.maximum(number - skip, 0) for skip in skips)], 1)
    batches = [torch.from_numpy(rows) for rows in np.array_split(places, len(places) // BATCH)]
    normalise = lambda x: local_contrast_normalise(x.float() / 255)

    @torch.inference_mode()
    def naive() -> np.ndarray:
        found = [torch.sigmoid(model(normalise(images[rows]))) for rows in batches]
        return torch.cat(found).numpy()

    @torch.inference_mode()
    def normalised_once() -> np.ndarray:
        ready = torch.cat([normalise(part) for part in images.split(BATCH)])
        return torch.cat([torch.sigmoid(model(ready[rows])) for rows in batches]).numpy()

    return {"PyTorch, every sample": naive, "PyTorch, LCN once": normalised_once}
