"""The building blocks of published binary networks, written the ways their authors write them."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional


class Sign(nn.Module):
    """torch.sign: 0 at 0."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.sign(x)


class Where(nn.Module):
    """+1 at 0."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.where(x >= 0, 1.0, -1.0)


class Cast(nn.Module):
    """Bits by a cast: 2 * [x > 0] - 1."""

    def forward(self, x: Tensor) -> Tensor:
        return (x > 0).float() * 2.0 - 1.0


class DetachedSign(nn.Module):
    """Bi-Real's sign: the gradient of a piecewise parabola, by the detach trick."""

    def forward(self, x: Tensor) -> Tensor:
        hard = torch.sign(x)
        low, mid, high = (x < -1).float(), (x < 0).float(), (x < 1).float()
        soft = -low + (x * x + 2 * x) * (1 - low)
        soft = soft * mid + (-x * x + 2 * x) * (1 - mid)
        soft = soft * high + (1 - high)
        return hard.detach() - soft.detach() + soft


class DetachedDifference(nn.Module):
    """The other way round: x + (sign(x) - x).detach()."""

    def forward(self, x: Tensor) -> Tensor:
        return x + (torch.sign(x) - x).detach()


class Pad(nn.Module):
    """Padding of one pixel with a value."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self.value = value

    def forward(self, x: Tensor) -> Tensor:
        return functional.pad(x, (1, 1, 1, 1), value=self.value)


class LearnedBias(nn.Module):
    """ReActNet's shift before the sign."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(0.3 * torch.randn(1, channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.bias.expand_as(x)


class View(nn.Module):
    """Flatten as older code writes it."""

    def forward(self, x: Tensor) -> Tensor:
        return x.view(x.size(0), -1)


def sign_weights(w: Tensor) -> Tensor:
    """BinaryNet."""
    return torch.sign(w)


def xnor_weights(w: Tensor) -> Tensor:
    """XNOR-Net: scaled by the mean magnitude of each output channel."""
    axes = tuple(range(1, w.dim()))
    return torch.sign(w) * w.abs().mean(axes, keepdim=True)


def irnet_weights(w: Tensor) -> Tensor:
    """IR-Net: standardised, scaled by a power of two."""
    axes = tuple(range(1, w.dim()))
    w = w - w.mean(axes, keepdim=True)
    w = w / w.std(axes, keepdim=True)
    scale = 2.0 ** torch.round(torch.log2(w.abs().mean(axes, keepdim=True)))
    return torch.sign(w) * scale.detach()


def detached_weights(w: Tensor) -> Tensor:
    """ReActNet: XNOR-Net's weights by the detach trick."""
    hard = xnor_weights(w)
    soft = torch.clamp(w, -1.0, 1.0)
    return hard.detach() - soft.detach() + soft


Binarizer = Callable[[Tensor], Tensor]


class BinaryConv(nn.Conv2d):
    """A convolution whose weights are binarized in forward, or stored binary."""

    def __init__(
        self,
        channels: tuple[int, int],
        kernel: int = 3,
        *,
        stride: int = 1,
        padding: int = 0,
        binarizer: Binarizer | None = sign_weights,
    ) -> None:
        super().__init__(*channels, kernel, stride=stride, padding=padding, bias=False)
        self.binarizer = binarizer
        if binarizer is None:
            self.weight.data = torch.sign(self.weight.data)

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight if self.binarizer is None else self.binarizer(self.weight)
        return functional.conv2d(x, weight, None, self.stride, self.padding)


class BinaryLinear(nn.Linear):
    """A dense layer without bias whose weights are binarized in forward, or stored binary."""

    def __init__(
        self, inputs: int, outputs: int, binarizer: Binarizer | None = sign_weights
    ) -> None:
        super().__init__(inputs, outputs, bias=False)
        self.binarizer = binarizer
        if binarizer is None:
            self.weight.data = torch.sign(self.weight.data)

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight if self.binarizer is None else self.binarizer(self.weight)
        return functional.linear(x, weight)
