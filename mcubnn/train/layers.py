"""Convolution and dense layers whose weights are +-1 in the forward pass.

Training needs real-valued latent weights to accumulate small gradient steps; deployment needs only
their signs. `deployable` makes the second form from the first, so that an exported file carries
plain Conv and Gemm operators and no trace of the training method.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional

from mcubnn.train.binarize import binarize

LATENT_LIMIT = 1.0
"""Latent weights stay in [-LATENT_LIMIT, LATENT_LIMIT], where the gradient of the sign lives."""


def _binary_weight(latent: Tensor, *, scaled: bool) -> Tensor:
    """Return the signs of `latent`, times the mean |latent| of each output channel if `scaled`."""
    signs = binarize(latent)
    if not scaled:
        return signs
    other_axes = tuple(range(1, latent.dim()))
    return signs * latent.detach().abs().mean(dim=other_axes, keepdim=True)


class BinaryConv2d(nn.Conv2d):
    """2-D convolution without bias with weights +-1, or +-scale of the channel if `scaled`.

    Shapes and zero padding are those of `nn.Conv2d`; `weight` holds the latent values.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        *,
        padding: int = 0,
        scaled: bool = False,
    ) -> None:
        super().__init__(in_channels, out_channels, kernel_size, padding=padding, bias=False)
        self.scaled = scaled

    def binary_weight(self) -> Tensor:
        """Return the weights in use, [out, in, kernel, kernel]."""
        return _binary_weight(self.weight, scaled=self.scaled)

    def forward(self, input: Tensor) -> Tensor:
        """Convolve [N, in, H, W] with the binary weights."""
        return functional.conv2d(input, self.binary_weight(), padding=self.padding)


class BinaryLinear(nn.Linear):
    """Dense layer without bias with weights +-1, or +-scale of the output if `scaled`."""

    def __init__(self, in_features: int, out_features: int, *, scaled: bool = False) -> None:
        super().__init__(in_features, out_features, bias=False)
        self.scaled = scaled

    def binary_weight(self) -> Tensor:
        """Return the weights in use, [out, in]."""
        return _binary_weight(self.weight, scaled=self.scaled)

    def forward(self, input: Tensor) -> Tensor:
        """Map [N, in] to [N, out] with the binary weights."""
        return functional.linear(input, self.binary_weight())


def clip_latent_weights(model: nn.Module) -> None:
    """Clamp the latent weights of every binary layer of `model`, in place.

    Without it a weight can drift so far past the limit that its sign never flips again.
    """
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, BinaryConv2d | BinaryLinear):
                module.weight.clamp_(-LATENT_LIMIT, LATENT_LIMIT)


def flip_batch_norm_signs(model: nn.Module, *, fraction: float, seed: int) -> None:
    """Make the gamma of about `fraction` of all BatchNorm channels negative, in place.

    Training rarely turns a gamma that starts at +1 negative, yet exported networks may have such
    channels (their thresholds compare the other way round). Starting with both signs makes a
    network exercise both.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
                flipped = torch.rand(module.num_features, generator=generator) < fraction
                module.weight[flipped] *= -1.0


def _plain_layer(layer: BinaryConv2d | BinaryLinear) -> nn.Module:
    """Return the ordinary torch layer that computes the same as `layer`."""
    plain: nn.Conv2d | nn.Linear
    if isinstance(layer, BinaryConv2d):
        rows, columns = layer.kernel_size
        plain = nn.Conv2d(layer.in_channels, layer.out_channels, (rows, columns), bias=False)
        plain.padding = layer.padding
    else:
        plain = nn.Linear(layer.in_features, layer.out_features, bias=False)
    plain.weight = nn.Parameter(layer.binary_weight().detach())
    return plain


def deployable(model: nn.Module) -> nn.Module:
    """Return a copy of `model` in eval mode with ordinary layers holding the binary weights.

    `model` is left alone, its latent weights included.
    """
    copied = copy.deepcopy(model)
    for parent in list(copied.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, BinaryConv2d | BinaryLinear):
                setattr(parent, name, _plain_layer(child))
    return copied.eval()
