"""Train the Fashion-MNIST example: `python train.py --data DIR` writes fashion_cnn.onnx.

DIR holds either train.npz and test.npz (arrays `images` and `labels`) or the four files of the
original distribution, such as train-images-idx3-ubyte.gz, gzipped or not.
"""

from __future__ import annotations

import argparse
import gzip
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from mcubnn.train.binarize import Sign
from mcubnn.train.dataset import InputScaling, LabelledImages, from_numpy
from mcubnn.train.export import evaluate_onnx, export_onnx
from mcubnn.train.layers import BinaryConv2d, BinaryLinear, flip_batch_norm_signs
from mcubnn.train.loop import TrainConfig, fix_seed, train

SEED = 1
SCALING = InputScaling(scale=1 / 255, mean=0.5, std=0.5)  # 2u/255 - 1
MAX_SHIFT_PIXELS = 2
MIRRORED_FRACTION = 0.5
IDX_PREFIXES = {"train": "train", "test": "t10k"}


def load_data(directory: Path, split: str) -> LabelledImages:
    """Return the images of `split`, "train" or "test", from either file layout."""
    npz_path = directory / f"{split}.npz"
    if npz_path.exists():
        with np.load(npz_path) as arrays:
            return from_numpy(arrays["images"], arrays["labels"])
    prefix = IDX_PREFIXES[split]
    return from_numpy(
        _read_idx(directory, f"{prefix}-images-idx3-ubyte"),
        _read_idx(directory, f"{prefix}-labels-idx1-ubyte"),
    )


def _read_idx(directory: Path, name: str) -> npt.NDArray[np.uint8]:
    """Return the array in the idx file `name` or `name`.gz, which holds unsigned bytes."""
    path = directory / name
    packed = directory / f"{name}.gz"
    if path.exists():
        content = path.read_bytes()
    elif packed.exists():
        content = gzip.decompress(packed.read_bytes())
    else:
        raise SystemExit(f"{directory}: found neither {name} nor {name}.gz, nor .npz files")
    # Header: two zero bytes, the type (8: unsigned byte), the number of axes, then each length
    # as a big-endian 32-bit word.
    if content[:3] != b"\x00\x00\x08":
        raise SystemExit(f"{directory / name}: not an idx file of unsigned bytes")
    axes = content[3]
    shape = np.frombuffer(content, dtype=">u4", count=axes, offset=4)
    return np.frombuffer(content, dtype=np.uint8, offset=4 + 4 * axes).reshape(shape)


def flip_and_shift(images: Tensor, generator: torch.Generator) -> Tensor:
    """Mirror MIRRORED_FRACTION of the images; move each by <= MAX_SHIFT_PIXELS, black outside."""
    count, _, rows, columns = images.shape
    mirrored = torch.rand(count, 1, 1, 1, generator=generator) < MIRRORED_FRACTION
    images = torch.where(mirrored, images.flip(3), images)
    padded = functional.pad(images, [MAX_SHIFT_PIXELS] * 4, value=-1.0)
    offsets = torch.randint(0, 2 * MAX_SHIFT_PIXELS + 1, (2, count), generator=generator)
    row_index = offsets[0].view(-1, 1, 1) + torch.arange(rows).view(1, -1, 1)
    column_index = offsets[1].view(-1, 1, 1) + torch.arange(columns).view(1, 1, -1)
    image_index = torch.arange(count).view(-1, 1, 1)
    return padded[image_index, 0, row_index, column_index].unsqueeze(1)


def build_network() -> nn.Sequential:
    """Return the untrained network: four convolutions, 28x28x1 -> 3x3x128 -> 128 -> 10 scores."""
    network = nn.Sequential(
        BinaryConv2d(1, 32, 3, padding=1),
        nn.MaxPool2d(2),
        nn.BatchNorm2d(32),
        Sign(),
        BinaryConv2d(32, 64, 3, padding=1),
        nn.BatchNorm2d(64),
        Sign(),
        BinaryConv2d(64, 64, 3, padding=1),
        nn.MaxPool2d(2),
        nn.BatchNorm2d(64),
        Sign(),
        BinaryConv2d(64, 128, 3, padding=1),
        nn.MaxPool2d(2),
        nn.BatchNorm2d(128),
        Sign(),
        nn.Flatten(),
        BinaryLinear(1152, 128),
        nn.BatchNorm1d(128),
        Sign(),
        BinaryLinear(128, 10),
        nn.BatchNorm1d(10),
    )
    flip_batch_norm_signs(network, fraction=0.1, seed=SEED)
    return network


def main() -> None:
    """Train, export, and print the test accuracy of the exported file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, metavar="DIR")
    parser.add_argument("--epochs", type=int, default=28)
    arguments = parser.parse_args()
    out: Path = arguments.out
    out.mkdir(parents=True, exist_ok=True)

    fix_seed(SEED)
    train_data = load_data(arguments.data, "train")
    test_data = load_data(arguments.data, "test")
    network = build_network()
    start = time.monotonic()
    config = TrainConfig(
        epochs=arguments.epochs,
        batch_size=100,
        learning_rate=5e-3,
        seed=SEED,
        checkpoint=out / "checkpoint.pt",
    )
    train(network, train_data, SCALING, config, augment=flip_and_shift)
    print(f"trained in {(time.monotonic() - start) / 60:.1f} min")

    export_onnx(network, out / "fashion_cnn.onnx", (1, 1, 28, 28))
    accuracy = evaluate_onnx(out / "fashion_cnn.onnx", test_data, SCALING)
    print(f"test accuracy of fashion_cnn.onnx: {accuracy:.4f} ({len(test_data)} images)")


if __name__ == "__main__":
    main()
