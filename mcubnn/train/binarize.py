"""The straight-through sign, the one non-differentiable step of every network trained here.

It is +1 at zero, never 0 as `torch.sign`, because a bit has no third state: the exported graph
then means exactly what the generated C computes. The exporter writes it as GreaterOrEqual + Where.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


class _StraightThroughSign(torch.autograd.Function):
    """Sign in the forward pass, gradient of hardtanh in the backward pass."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        ctx.save_for_backward(values)
        return torch.where(values >= 0, 1.0, -1.0)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> Tensor:
        (values,) = ctx.saved_tensors
        gradient: Tensor = grad_outputs[0] * (values.abs() <= 1.0)
        return gradient


def binarize(values: Tensor) -> Tensor:
    """Return +1 where `values` >= 0 and -1 elsewhere, in float32 and the same shape.

    The gradient passes unchanged where |value| <= 1 and is zero elsewhere, as if the forward pass
    had been a hardtanh (Hubara et al., "Binarized Neural Networks").
    """
    signs: Tensor = _StraightThroughSign.apply(values)  # type: ignore[no-untyped-call]  # torch has no hints
    return signs


class Sign(nn.Module):
    """`binarize` as a layer, for use in `nn.Sequential`."""

    def forward(self, values: Tensor) -> Tensor:
        """Return `binarize(values)`."""
        return binarize(values)
