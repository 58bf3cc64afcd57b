"""Comparing a device's scores with the integer reference, the labels and the framework."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mcubnn.artifacts import Comparison, Difference, RunResult
from mcubnn.errors import InternalError
from mcubnn.ir.types import Array
from mcubnn.validate.float_model import FloatClasses


def first_mismatch(scores: NDArray[np.int32], reference: Array) -> int | None:
    """Index of the first image whose scores differ from the reference; None if all are equal."""
    wrong = np.flatnonzero(_differs(scores, reference))
    return int(wrong[0]) if len(wrong) else None


def score_difference(
    image: int, scores: NDArray[np.int32], reference: Array, node: str, operator: str
) -> Difference:
    """The first wrong score of an image, blamed on the given (last) node."""
    flat_reference = reference[image].reshape(-1)
    output = int(np.flatnonzero(scores[image] != flat_reference)[0])
    return Difference(
        image=image,
        node=node,
        operator=operator,
        index=(output,),
        expected=int(flat_reference[output]),
        found=int(scores[image, output]),
    )


def compare(
    result: RunResult,
    reference: Array,
    labels: NDArray[np.int64] | None,
    framework: FloatClasses,
    difference: Difference | None = None,
) -> Comparison:
    """Put together what a validation found.

    Args:
        result: the device's scores.
        reference: int32 `[N, ...]` scores of the integer reference for the same images.
        labels: `[N]`, or None.
        framework: the framework's classes for the same images, or why there are none.
        difference: the first difference, located by the caller.
    """
    identical = int(np.count_nonzero(~_differs(result.scores, reference)))
    agreement = None
    if framework.classes is not None:
        agreement = float(np.mean(result.classes == framework.classes))
    return Comparison(
        images=len(result.scores),
        identical=identical,
        difference=difference,
        accuracy=None if labels is None else float(np.mean(result.classes == labels)),
        float_agreement=agreement,
        float_engine=framework.engine,
        runner=result.runner,
        seconds=result.seconds,
    )


def _differs(scores: NDArray[np.int32], reference: Array) -> NDArray[np.bool_]:
    """For each image, whether any score differs."""
    flat = reference.reshape(len(reference), -1)
    if scores.shape != flat.shape:
        raise InternalError(f"device scores {scores.shape} but reference scores {flat.shape}")
    return np.any(scores != flat, axis=1)
