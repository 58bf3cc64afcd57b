"""One training loop for all examples: Adam with a cosine schedule and clipped latent weights.

The result is the network after the last epoch. No epoch is chosen by its test accuracy, so the
accuracy measured afterwards on held-out data is not flattered by the choice.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor, nn
from torch.nn import functional

from mcubnn.train.dataset import InputScaling, LabelledImages
from mcubnn.train.layers import clip_latent_weights

Augment = Callable[[Tensor, torch.Generator], Tensor]
"""Maps scaled NCHW images to changed images of the same shape; random only by the generator."""


@dataclass(frozen=True)
class TrainConfig:
    """The settings of one run; the same settings give the same network on the same machine.

    Attributes:
        epochs: passes over the training data.
        batch_size: images per step; an incomplete last batch of an epoch is left out.
        learning_rate: of Adam at the first step; falls to zero along a half cosine.
        seed: of the order of images and of `augment`.
        label_smoothing: as in `torch.nn.functional.cross_entropy`.
        checkpoint: file rewritten after every epoch with the state dict, or None.
    """

    epochs: int
    batch_size: int
    learning_rate: float
    seed: int
    label_smoothing: float = 0.0
    checkpoint: Path | None = None


def fix_seed(seed: int) -> None:
    """Seed every generator in use and forbid torch's nondeterministic algorithms.

    Sums in torch depend on the number of threads, so one thread is part of reproducibility.
    """
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    torch.use_deterministic_algorithms(True)
    torch.set_num_threads(1)


def train(
    model: nn.Module,
    data: LabelledImages,
    scaling: InputScaling,
    config: TrainConfig,
    augment: Augment | None = None,
) -> None:
    """Train `model` in place and leave it in eval mode; progress goes to stderr."""
    generator = torch.Generator().manual_seed(config.seed)
    optimizer = torch.optim.Adam(model.parameters(), lr=config.learning_rate)
    steps = config.epochs * (len(data) // config.batch_size)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=steps)
    model.train()
    with _progress() as progress:
        task = progress.add_task("training", total=steps)
        for epoch in range(config.epochs):
            losses = []
            for chosen in _batches(len(data), config.batch_size, generator):
                inputs = scaling.apply(data.images[chosen])
                inputs = inputs if augment is None else augment(inputs, generator)
                losses.append(_step(model, optimizer, inputs, data.labels[chosen], config))
                schedule.step()
                progress.advance(task)
            loss = sum(losses) / len(losses)
            progress.console.print(f"epoch {epoch + 1}/{config.epochs}: loss {loss:.4f}")
            _save_checkpoint(model, config)
    model.eval()


def _batches(count: int, batch_size: int, generator: torch.Generator) -> Iterator[Tensor]:
    """Yield the indices of each whole batch of one epoch, in a random order."""
    order = torch.randperm(count, generator=generator)
    for start in range(0, count - batch_size + 1, batch_size):
        yield order[start : start + batch_size]


def _save_checkpoint(model: nn.Module, config: TrainConfig) -> None:
    """Write the state of `model`, latent weights included, if the run keeps a checkpoint."""
    if config.checkpoint is not None:
        torch.save(model.state_dict(), config.checkpoint)


def _step(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    inputs: Tensor,
    labels: Tensor,
    config: TrainConfig,
) -> float:
    """Make one optimizer step on a batch and return its loss."""
    # Channels-last tensors cut the time of a step on one CPU thread by a quarter.
    scores = model(inputs.to(memory_format=torch.channels_last))
    loss = functional.cross_entropy(scores, labels, label_smoothing=config.label_smoothing)
    optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]  # torch has no hints
    optimizer.step()
    clip_latent_weights(model)
    return loss.item()


def _progress() -> Progress:
    """Return a progress bar that writes to stderr."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )


def evaluate(
    model: nn.Module, data: LabelledImages, scaling: InputScaling, batch_size: int = 500
) -> float:
    """Return the fraction of `data` that `model` classifies correctly in eval mode."""
    was_training = model.training
    model.eval()
    correct = 0
    with torch.no_grad():
        for start in range(0, len(data), batch_size):
            scores = model(scaling.apply(data.images[start : start + batch_size]))
            labels = data.labels[start : start + batch_size]
            correct += int((scores.argmax(dim=1) == labels).sum())
    model.train(was_training)
    return correct / len(data)
