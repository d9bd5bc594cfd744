"""Training steps and dense scores in PyTorch, as the benchmark calls them."""

# pyright: reportMissingImports=false
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

from jaxspot.benchmark import twin
from jaxspot.network.augment import Augmentation
from jaxspot.training.step import Training

BATCH = 32


def torch_step(frames: np.ndarray, labels: np.ndarray, training: Training) -> Callable[[], Any]:
    """A call that takes one step on uint8 (batch, 3, height, width) with Adam."""
    model = twin.TwoStreamTwin().to(memory_format=torch.channels_last)
    optimiser = torch.optim.Adam(model.parameters(), lr=training.learning_rate)
    generator = torch.Generator().manual_seed(0)
    images, targets = torch.from_numpy(frames), torch.from_numpy(labels)
    weights: dict[str, Any] = dict(
        presence_weight=training.presence_weight, kind_weights=training.kind_weights
    )

    def step() -> float:
        seen = twin.local_contrast_normalise(twin.augment(images, generator, Augmentation()))
        loss = twin.weighted_bce(model(seen), targets, **weights)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        return loss.item()

    return step


def torch_scores(
    variables: Mapping[str, Any], frames: np.ndarray, skips: np.ndarray
) -> dict[str, Callable[[], Any]]:
    """Calls that score a whole video: every sample on its own, and with LCN once per frame.

    Args:
      variables: of `TwoStream` in the paper's form.
      frames: uint8 (frames, height, width).
      skips: int (2,), frames.
    """
    model = twin.TwoStreamTwin().to(memory_format=torch.channels_last).eval()
    twin.load_variables(model, variables)
    images = torch.from_numpy(frames)
    number = np.arange(len(frames))
    places = np.stack([number, *(np.maximum(number - skip, 0) for skip in skips)], 1)
    batches = [torch.from_numpy(rows) for rows in np.array_split(places, len(places) // BATCH)]
    normalise = lambda x: twin.local_contrast_normalise(x.float() / 255)

    @torch.inference_mode()
    def naive() -> np.ndarray:
        found = [torch.sigmoid(model(normalise(images[rows]))) for rows in batches]
        return torch.cat(found).numpy()

    @torch.inference_mode()
    def normalised_once() -> np.ndarray:
        ready = torch.cat([normalise(part) for part in images.split(BATCH)])
        return torch.cat([torch.sigmoid(model(ready[rows])) for rows in batches]).numpy()

    return {"PyTorch, every sample": naive, "PyTorch, LCN once": normalised_once}
