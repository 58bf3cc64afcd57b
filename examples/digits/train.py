"""Train the 8x8 digits example: `python train.py [--out DIR]` writes digits.onnx and test.npz.

scikit-learn brings the 1,797 images along, so the example needs no download.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

from mcubnn.train.binarize import Sign
from mcubnn.train.dataset import InputScaling, LabelledImages, from_numpy, save_npz
from mcubnn.train.export import evaluate_onnx, export_onnx
from mcubnn.train.layers import BinaryConv2d, BinaryLinear, flip_batch_norm_signs
from mcubnn.train.loop import TrainConfig, fix_seed, train

SEED = 1
SCALING = InputScaling(scale=1 / 16, mean=0.5, std=0.5)  # pixels 0..16 become -1..1
TEST_FRACTION = 0.4


def load_split() -> tuple[LabelledImages, LabelledImages]:
    """Return the training and the test images; the split is stratified and always the same."""
    digits = load_digits()
    images = digits.images.astype(np.uint8)
    labels = digits.target.astype(np.uint8)
    train_images, test_images, train_labels, test_labels = train_test_split(
        images, labels, test_size=TEST_FRACTION, stratify=labels, random_state=0
    )
    return from_numpy(train_images, train_labels), from_numpy(test_images, test_labels)


def build_network() -> nn.Sequential:
    """Return the untrained network: 8x8x1 -> 6x6x32 -> 3x3x64 -> 64 -> 10 scores."""
    network = nn.Sequential(
        BinaryConv2d(1, 32, 3),
        nn.BatchNorm2d(32),
        Sign(),
        BinaryConv2d(32, 64, 3, padding=1),
        nn.MaxPool2d(2),
        nn.BatchNorm2d(64),
        Sign(),
        nn.Flatten(),
        BinaryLinear(576, 64),
        nn.BatchNorm1d(64),
        Sign(),
        BinaryLinear(64, 10),
        nn.BatchNorm1d(10),
    )
    flip_batch_norm_signs(network, fraction=0.25, seed=SEED)
    return network


def main() -> None:
    """Train, export, and print the test accuracy of the exported file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, metavar="DIR")
    out: Path = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)

    fix_seed(SEED)
    train_data, test_data = load_split()
    network = build_network()
    start = time.monotonic()
    config = TrainConfig(epochs=100, batch_size=32, learning_rate=5e-3, seed=SEED)
    train(network, train_data, SCALING, config)
    print(f"trained in {time.monotonic() - start:.0f} s")

    export_onnx(network, out / "digits.onnx", (1, 1, 8, 8))
    save_npz(out / "test.npz", test_data)
    accuracy = evaluate_onnx(out / "digits.onnx", test_data, SCALING)
    print(f"test accuracy of digits.onnx: {accuracy:.4f} ({len(test_data)} images)")


if __name__ == "__main__":
    main()
