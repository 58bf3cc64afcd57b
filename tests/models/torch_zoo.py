"""A zoo of small sequential binary networks in torch: every pattern the compiler must accept.

The networks are not trained; their batch normalisations are calibrated so that about half of the
activations are positive, which makes a wrong threshold visible.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mcubnn.ir.types import Array
from tests.models import torch_layers as layers
from tests.models.torch_layers import BinaryConv, BinaryLinear

_CALIBRATION_IMAGES = 32


@dataclass(frozen=True, eq=False)
class Case:
    """A network and its input: x = (pixel * input_scale - mean) / std.

    Attributes:
        name: unique; a C identifier.
        module: in eval mode.
        input_shape: without batch, (C, H, W) or (F,).
        input_scale: factor of the uint8 pixels.
        mean, std: one value, or one per channel.
        exact: all values are integers that float32 holds, so results are equal, not close.
    """

    name: str
    module: nn.Module
    input_shape: tuple[int, ...]
    input_scale: float = 1.0 / 255.0
    mean: tuple[float, ...] = (0.5,)
    std: tuple[float, ...] = (0.5,)
    exact: bool = False

    def pixels(self, count: int, seed: int = 0) -> Array:
        """Random uint8 images `[count, *input_shape]`."""
        generator = np.random.default_rng([seed, len(self.name)])
        return generator.integers(0, 256, (count, *self.input_shape), dtype=np.uint8)

    def inputs(self, pixels: Array) -> Array:
        """The float32 input of the network."""
        channels = (-1, *(1,) * (len(self.input_shape) - 1))
        mean = np.asarray(self.mean, np.float32).reshape(channels)
        std = np.asarray(self.std, np.float32).reshape(channels)
        return (pixels.astype(np.float32) * np.float32(self.input_scale) - mean) / std


def zoo() -> list[Case]:
    """All networks; the same on every call."""
    return [_finished(build, seed) for seed, build in enumerate(_BUILDERS)]


def export(
    case: Case, path: Path, *, dynamo: bool, dynamic_batch: bool = False, optimize: bool = True
) -> None:
    """Write a network as ONNX with one of torch's two exporters.

    Args:
        case: the network.
        path: of the file.
        dynamo: True for the default exporter, False for the legacy one.
        dynamic_batch: leave the size of the batch open.
        optimize: let the exporter fold constants and merge batch norms.
    """
    batch = torch.zeros(2 if dynamic_batch else 1, *case.input_shape)
    options: dict[str, Any] = {"dynamo": dynamo}
    if dynamo:
        shapes = ({0: torch.export.Dim("batch")},) if dynamic_batch else None
        options |= {"optimize": optimize, "dynamic_shapes": shapes, "verbose": False}
    else:
        options |= {"do_constant_folding": optimize, "opset_version": 17, "input_names": ["x"]}
        options |= {"dynamic_axes": {"x": {0: "batch"}} if dynamic_batch else None}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporters warn about themselves
        torch.onnx.export(case.module, (batch,), path, **options)


def _finished(build: Callable[[], Case], seed: int) -> Case:
    """Build with a fixed seed, randomise the batch norms and set their statistics."""
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(seed)
        case = build()
        norms = [m for m in case.module.modules() if isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d)]
        for norm in norms:
            norm.momentum = 1.0
            _randomize(norm)
        case.module.train()
        case.module(torch.from_numpy(case.inputs(case.pixels(_CALIBRATION_IMAGES, seed=99))))
        case.module.eval()
    return case


def _randomize(norm: nn.BatchNorm1d | nn.BatchNorm2d) -> None:
    """Gamma of both signs and 0; beta apart from 0 so that a channel with gamma 0 has a sign."""
    if not norm.affine:
        return
    count = norm.num_features
    norm.weight.data = (0.5 + torch.rand(count)) * torch.sign(torch.randn(count))
    norm.bias.data = 0.5 * torch.randn(count)
    if count > 10:
        norm.weight.data[3] = 0.0
        norm.weight.data[7] = 0.0


def _sequence(*modules: nn.Module) -> nn.Module:
    return nn.Sequential(*modules)


def _widths() -> Case:
    """Channels 1, 31, 32, 33, 64; strides 1 and 2; zero padding; pool before and after the sign."""
    return Case(
        "widths",
        _sequence(
            nn.Conv2d(1, 31, 3, padding=1), nn.BatchNorm2d(31), nn.Hardtanh(), layers.Sign(),
            BinaryConv((31, 32), padding=1), nn.BatchNorm2d(32), nn.Hardtanh(), layers.Sign(),
            BinaryConv((32, 33), stride=2, padding=1), nn.BatchNorm2d(33), layers.Sign(),
            nn.MaxPool2d(2),
            BinaryConv((33, 64)), nn.MaxPool2d(2), nn.BatchNorm2d(64), nn.Hardtanh(), layers.Sign(),
            nn.Flatten(), BinaryLinear(64, 10), nn.BatchNorm1d(10), nn.LogSoftmax(1),
        ),
        (1, 16, 16),
    )  # fmt: skip


def _one_channel() -> Case:
    return Case(
        "one_channel",
        _sequence(
            BinaryConv((1, 1), padding=1), nn.BatchNorm2d(1), layers.Where(),
            BinaryConv((1, 8), stride=2), nn.BatchNorm2d(8), layers.Where(),
            layers.View(), nn.Linear(8 * 25, 10),
        ),
        (1, 12, 12),
    )  # fmt: skip


def _padding(name: str, value: float) -> Case:
    return Case(
        name,
        _sequence(
            nn.Conv2d(3, 16, 3), nn.BatchNorm2d(16), layers.Where(),
            layers.Pad(value), BinaryConv((16, 32)), nn.BatchNorm2d(32), layers.Where(),
            layers.Pad(value), BinaryConv((32, 32), stride=2), nn.BatchNorm2d(32), layers.Where(),
            nn.Flatten(), BinaryLinear(32 * 25, 10, layers.xnor_weights),
        ),
        (3, 12, 12),
        mean=(0.49, 0.48, 0.45),
        std=(0.25, 0.24, 0.26),
    )  # fmt: skip


def _stored() -> Case:
    """Weights stored as +-1: the exporters merge the batch norms into the layers."""
    return Case(
        "stored",
        _sequence(
            BinaryConv((3, 32), binarizer=None), nn.BatchNorm2d(32), layers.Where(),
            BinaryConv((32, 40), padding=1, binarizer=None), nn.BatchNorm2d(40), layers.Where(),
            nn.MaxPool2d(2), nn.Flatten(),
            BinaryLinear(40 * 9, 64, None), nn.BatchNorm1d(64), layers.Where(),
            BinaryLinear(64, 10, None), nn.BatchNorm1d(10),
        ),
        (3, 8, 8),
    )  # fmt: skip


def _weights(name: str, binarizer: layers.Binarizer, activation: type[nn.Module]) -> Case:
    """Layers on both sides of 8192 elements, up to which torch folds constants."""
    return Case(
        name,
        _sequence(
            nn.Conv2d(3, 32, 3, padding=1, bias=False), nn.BatchNorm2d(32), nn.Hardtanh(),
            activation(), BinaryConv((32, 16), padding=1, binarizer=binarizer), nn.BatchNorm2d(16),
            activation(), BinaryConv((16, 64), 3, stride=2, binarizer=binarizer),
            nn.BatchNorm2d(64), nn.Hardtanh(),
            activation(), BinaryConv((64, 64), padding=1, binarizer=binarizer), nn.MaxPool2d(2),
            nn.BatchNorm2d(64), nn.Hardtanh(), activation(),
            layers.View(), nn.Linear(64, 10), nn.LogSoftmax(dim=1),
        ),
        (3, 8, 8),
    )  # fmt: skip


def _learned_bias() -> Case:
    return Case(
        "learned_bias",
        _sequence(
            nn.Conv2d(1, 16, 3), nn.BatchNorm2d(16), layers.LearnedBias(16), layers.DetachedSign(),
            BinaryConv((16, 33), padding=1, binarizer=layers.detached_weights),
            nn.BatchNorm2d(33), layers.LearnedBias(33), layers.Sign(),
            nn.Flatten(), nn.Dropout(), nn.Linear(33 * 36, 10),
        ),
        (1, 8, 8),
    )  # fmt: skip


def _mlp() -> Case:
    """BinaryNet for MNIST: binary weights from the first layer to the last."""
    return Case(
        "mlp",
        _sequence(
            nn.Flatten(), BinaryLinear(784, 100), nn.BatchNorm1d(100), nn.Hardtanh(), layers.Sign(),
            BinaryLinear(100, 65), nn.BatchNorm1d(65), nn.Hardtanh(), layers.Sign(),
            BinaryLinear(65, 10), nn.BatchNorm1d(10, affine=False), nn.LogSoftmax(dim=1),
        ),
        (1, 28, 28),
    )  # fmt: skip


def _vector() -> Case:
    """A vector input, real first and last layers, bits by a cast."""
    return Case(
        "vector",
        _sequence(
            nn.Linear(30, 64), nn.BatchNorm1d(64), layers.Cast(),
            BinaryLinear(64, 33), nn.BatchNorm1d(33), layers.Cast(),
            nn.Linear(33, 5), nn.Softmax(dim=-1),
        ),
        (30,),
    )  # fmt: skip


def _rgb_mlp() -> Case:
    """A fully connected first layer behind a normalisation per channel."""
    return Case(
        "rgb_mlp",
        _sequence(
            nn.Flatten(), BinaryLinear(3 * 64, 65), nn.BatchNorm1d(65), nn.Tanh(), layers.Where(),
            BinaryLinear(65, 10), nn.BatchNorm1d(10),
        ),
        (3, 8, 8),
        mean=(0.4914, 0.4822, 0.4465),
        std=(0.2470, 0.2435, 0.2616),
    )  # fmt: skip


def _borders() -> Case:
    """Pooled pixels, pads before norm and sign, a map that is not square, a norm per feature."""
    block = _sequence(
        nn.ZeroPad2d((1, 0, 2, 0)), _sequence(nn.BatchNorm2d(32), layers.Where()),
        BinaryConv((32, 33)), nn.BatchNorm2d(33), nn.ZeroPad2d(1), layers.Where(),
        BinaryConv((33, 31), 1, stride=2),
    )  # fmt: skip
    return Case(
        "borders",
        _sequence(
            nn.MaxPool2d(2), BinaryConv((3, 32)), block,
            nn.Flatten(), nn.BatchNorm1d(31 * 12), layers.Where(), BinaryLinear(31 * 12, 10),
        ),
        (3, 12, 16),
        mean=(0.49, 0.48, 0.45),
        std=(0.25, 0.24, 0.26),
    )  # fmt: skip


class _FunctionalNet(nn.Module):
    """Weights binarized in forward, a binarized input, clips of bits, a pool over the map."""

    def __init__(self) -> None:
        super().__init__()
        self.weight1 = nn.Parameter(torch.randn(32, 2, 3, 2))
        self.weight2 = nn.Parameter(torch.randn(64, 32, 3, 3))
        self.norm1, self.norm2 = nn.BatchNorm2d(32), nn.BatchNorm2d(64)
        self.slope = nn.PReLU(64, init=0.3)
        self.dense = BinaryLinear(64, 10, layers.xnor_weights)

    def forward(self, x: Tensor) -> Tensor:
        x = (x > 0.2).float()
        x = nn.functional.conv2d(x, self.weight1.sign(), dilation=(1, 2))
        x = torch.clamp(self.norm1(x), -1.0, 1.0).sign().relu()
        x = nn.functional.conv2d(x, torch.where(self.weight2 >= 0, 1.0, -1.0), padding="same")
        x = nn.functional.adaptive_max_pool2d(self.norm2(x) - 1.7, 1)
        x = torch.where(self.slope(x) >= 0, 1.0, -1.0)
        return self.dense(x.flatten(1))


def _functional() -> Case:
    return Case("functional", _FunctionalNet(), (2, 7, 6))


class _IntegerNet(nn.Module):
    """Integer thresholds, no batch norm: every value is a small integer plus a half."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = BinaryConv((1, 32))
        self.conv2 = BinaryConv((32, 32), padding=1)
        self.dense = BinaryLinear(32 * 9, 10)
        self.shift1 = nn.Parameter(torch.randint(-9, 9, (1, 32, 1, 1)) * 64 + 0.5)
        self.shift2 = nn.Parameter(torch.randint(-24, 0, (1, 32, 1, 1)) + 0.5)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.sign(self.conv1(x - 127.0) + self.shift1)
        x = torch.sign(nn.functional.max_pool2d(self.conv2(x), 2) + self.shift2)
        return self.dense(x.flatten(1))


def _integer() -> Case:
    return Case("integer", _IntegerNet(), (1, 8, 8), 1.0, (0.0,), (1.0,), exact=True)


_BUILDERS: tuple[Callable[[], Case], ...] = (
    _widths,
    _one_channel,
    lambda: _padding("pad_minus_one", -1.0),
    lambda: _padding("pad_plus_one", 1.0),
    _stored,
    lambda: _weights("irnet", layers.irnet_weights, layers.Sign),
    lambda: _weights("xnor", layers.xnor_weights, layers.Where),
    lambda: _weights("bireal", layers.detached_weights, layers.DetachedSign),
    lambda: _weights("detached", layers.sign_weights, layers.DetachedDifference),
    _learned_bias,
    _mlp,
    _vector,
    _integer,
    _rgb_mlp,
    _borders,
    _functional,
)
