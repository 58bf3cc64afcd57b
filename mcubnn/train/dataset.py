"""Labelled 8-bit images and their scaling to what the network sees.

The scaling stays outside the exported graph: the compiler takes it as three numbers beside the
file, so training, reference and generated C must all use the one formula given here.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor


@dataclass(frozen=True)
class InputScaling:
    """Maps a raw byte u to (u * scale - mean) / std, evaluated in float32."""

    scale: float
    mean: float
    std: float

    def apply(self, images: Tensor) -> Tensor:
        """Return uint8 NHWC `images` as scaled float32 NCHW."""
        nchw = images.permute(0, 3, 1, 2).to(torch.float32)
        return ((nchw * self.scale - self.mean) / self.std).contiguous()


@dataclass(frozen=True)
class LabelledImages:
    """uint8 images [N, H, W, C] and int64 class numbers [N]."""

    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        """Return the number of images."""
        return self.images.shape[0]


def from_numpy(images: npt.NDArray[np.uint8], labels: npt.NDArray[np.uint8]) -> LabelledImages:
    """Wrap `images` ([N, H, W] or [N, H, W, C]) and `labels` ([N]).

    Raises:
        ValueError: the arrays are not uint8 or their lengths differ.
    """
    if images.dtype != np.uint8:
        raise ValueError(f"images: expected uint8, found {images.dtype}")
    if len(images) != len(labels):
        raise ValueError(f"found {len(images)} images but {len(labels)} labels")
    nhwc = images[..., np.newaxis] if images.ndim == 3 else images
    return LabelledImages(
        torch.tensor(nhwc),
        torch.from_numpy(labels.astype(np.int64)),
    )


def save_npz(path: Path, data: LabelledImages) -> None:
    """Write `images` (uint8 NHWC) and `labels` (uint8), the layout `mcubnn validate` reads."""
    np.savez_compressed(
        path, images=data.images.numpy(), labels=data.labels.numpy().astype(np.uint8)
    )
