"""What every node took on a device: counted instructions, or cycles of a board's counter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mcubnn.artifacts import NodeCosts
from mcubnn.report.report import Report

INSTRUCTIONS = "instructions"
_MACS_PER_WORD = 32


@dataclass(frozen=True)
class ProfileRow:
    """One node, or the whole network.

    Attributes:
        variant: the kernel variant that was chosen for it; empty for the network.
        macs: multiply-accumulates of one image.
        mean, minimum, maximum: over the images, in the profile's unit.
        share: of the network's mean, 0..1.
        per_32_macs: mean for 32 multiply-accumulates; None without any.
        estimated: mean by the cost model; None where the unit is not instructions.
        bound: largest value over all images by the cost model; None likewise.
    """

    name: str
    variant: str
    macs: int
    mean: float
    minimum: int
    maximum: int
    share: float
    per_32_macs: float | None
    estimated: int | None
    bound: int | None


@dataclass(frozen=True)
class Profile:
    """Costs of a network on a device.

    Attributes:
        unit: `instructions`, `cycles` or `ticks`.
        origin: how the numbers were obtained and what they are not.
        total: the whole network; its minimum and maximum are over images, not sums of the rows'.
    """

    model: str
    model_hash: str
    board: str
    cpu: str
    compiler: str
    images: int
    unit: str
    origin: str
    rows: tuple[ProfileRow, ...]
    total: ProfileRow


def make_profile(report: Report, cpu: str, measured: NodeCosts) -> Profile:
    """Join what a device counted with the build's report.

    Args:
        report: of the build that ran.
        cpu: the board's core.
        measured: at least one image.
    """
    whole = measured.costs.sum(axis=1)
    counted = measured.unit == INSTRUCTIONS
    rows = tuple(
        _row(
            (layer.name, kernel.variant, layer.macs),
            measured.costs[:, index],
            float(whole.mean()),
            (kernel.instructions, kernel.worst_instructions) if counted else None,
        )
        for index, (layer, kernel) in enumerate(zip(report.layers, report.kernels, strict=True))
    )
    model = (
        sum(kernel.instructions for kernel in report.kernels),
        sum(kernel.worst_instructions for kernel in report.kernels),
    )
    macs = sum(layer.macs for layer in report.layers)
    return Profile(
        model=report.model,
        model_hash=report.model_hash,
        board=report.board,
        cpu=cpu,
        compiler=report.compiler,
        images=len(measured.costs),
        unit=measured.unit,
        origin=_origin(measured),
        rows=rows,
        total=_row(("total", "", macs), whole, float(whole.mean()), model if counted else None),
    )


def _row(
    node: tuple[str, str, int],
    costs: NDArray[np.int64],
    whole_mean: float,
    model: tuple[int, int] | None,
) -> ProfileRow:
    name, variant, macs = node
    mean = float(costs.mean())
    return ProfileRow(
        name=name,
        variant=variant,
        macs=macs,
        mean=mean,
        minimum=int(costs.min()),
        maximum=int(costs.max()),
        share=mean / whole_mean if whole_mean else 0.0,
        per_32_macs=mean * _MACS_PER_WORD / macs if macs else None,
        estimated=model[0] if model else None,
        bound=model[1] if model else None,
    )


def _origin(measured: NodeCosts) -> str:
    rate = f"{measured.tick_hz / 1e6:g} MHz"
    if measured.unit == INSTRUCTIONS:
        return f"executed instructions, {measured.runner}; not cycles, not time"
    if measured.unit == "cycles":
        return f"cycles of the core's {rate} clock, counted on the board, {measured.runner}"
    return f"ticks of the device's {rate} counter, {measured.runner}; not instructions"
