"""Checks a compiled network against the imported one on a few images; part of every build.

Layer by layer: the imported graph runs on the bits that the lowered one found, and must lead to its
next bits, wherever rounding leaves no doubt (`intervals.py`). So one wrong threshold shows at its
node, and a legitimate difference in rounding does not spread. What follows the lowering (polarity,
fusion, order of channels) must leave every score as it is. Layers stored in int8 approximate; for
them only the share of equal classes is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from mcubnn.artifacts import InputOptions
from mcubnn.errors import MismatchError
from mcubnn.ir.graph import Graph, Node, Note
from mcubnn.ir.op import Op
from mcubnn.ir.types import Array, DType, TensorType
from mcubnn.ops.base import DeviceOp
from mcubnn.ops.defs.conv2d import Conv2d
from mcubnn.ops.defs.dense import Dense
from mcubnn.ops.defs.elementwise import Elementwise
from mcubnn.ops.defs.input_conv2d import InputConv2d
from mcubnn.ops.defs.input_dense import InputDense
from mcubnn.ops.defs.shape import Flatten, Pad
from mcubnn.ops.defs.sign import Sign
from mcubnn.ops.evaluate import evaluate_graph, evaluate_output
from mcubnn.ops.output_stage import ScoreStage
from mcubnn.ops.summing import SummingOp
from mcubnn.passes.codebook import RELATIVE_TOLERANCE, largest_multiplier
from mcubnn.passes.intervals import Enclosure

MOST_IMAGES = 16
_WORK = 500_000_000
"""Multiply-accumulates, roughly; a fraction of a second."""

_BYTES = 256 << 20
_ELEMENT_WORK = 16
"""A step on one element takes as long as this many multiply-accumulates."""

NAME = "self-check"

Stages = Sequence[tuple[str, Graph]]


@np.errstate(all="ignore")  # a value that leaves float32 is no defect
def check_lowering(
    imported: Graph, stages: Stages, options: InputOptions, calibration: Array | None = None
) -> tuple[Note, ...]:
    """Compare what the passes made with what they were given.

    Args:
        imported: before all passes.
        stages: each pass's name and result, in order.
        options: the pixels and their normalisation.
        calibration: typical pixels, if there are any; int8 layers are judged by them.

    Returns:
        Notes: how int8 layers fare, or that the network is too large for a check.

    Raises:
        MismatchError: a result differs, which is a defect of the compiler.
    """
    count = _image_count(imported)
    if not count:
        return (Note(NAME, "not done: one image takes too long or too much memory"),)
    first = next(i for i, (_, graph) in enumerate(stages) if _is_lowered(graph))
    whole = stages[first][1]
    images = _images(whole.tensors[whole.input], count)
    tensors = evaluate_graph(whole, images)
    walk = _Walk(imported, whole, tensors, options)
    for node in imported.nodes:
        walk.visit(node)
    walk.finish()
    _check_rest(stages[first:], images, tensors[whole.output])
    if not walk.is_approximate:
        return ()
    typical = images if calibration is None else calibration[:count]
    kind = "random images (noise, where scores are close)" if calibration is None else "images"
    before, after = (_classes(graph, typical) for graph in (stages[0][1], whole))
    same = f"{int((before == after).sum())} of {len(typical)} {kind}"
    return (Note(NAME, f"{same} keep their class where int8 replaces real numbers"),)


def _classes(graph: Graph, images: Array) -> Array:
    return evaluate_output(graph, images).reshape(len(images), -1).argmax(axis=1)


def _is_lowered(graph: Graph) -> bool:
    return all(isinstance(node.op, DeviceOp) for node in graph.nodes)


def _image_count(graph: Graph) -> int:
    """As many images as the work and memory allow; 0 for a network that is too large for one."""
    work = bytes_each = 0
    for node in graph.nodes:
        sources = [graph.tensors[source] for source in node.sources]
        macs, result = node.op.macs(sources), graph.tensors[node.result]
        work += macs + _ELEMENT_WORK * result.elements
        window = macs // max(1, result.channels) if isinstance(node.op, Conv2d) else 0
        bytes_each += 8 * result.elements
        bytes_each = max(bytes_each, 8 * (window + 8 * result.elements + sources[0].elements))
    if work > 4 * _WORK or bytes_each > _BYTES:
        return 0
    return int(np.clip(min(_WORK // max(1, work), _BYTES // max(1, bytes_each)), 1, MOST_IMAGES))


def _images(pixels: TensorType, count: int) -> Array:
    """Noise, both extremes, and noise of low contrast; the same on every call."""
    random = np.random.default_rng(0)
    limits = np.iinfo(np.dtype(pixels.dtype.numpy))
    shape = (count, *pixels.shape)
    images = random.integers(limits.min, limits.max, shape, np.int64, endpoint=True)
    for index in range(4, count, 2):
        base = int(random.integers(limits.min, limits.max))
        images[index] = np.clip(base + images[index] // 8, limits.min, limits.max)
    images[1:2], images[2:3] = limits.min, limits.max
    return images.astype(limits.dtype)


def _check_rest(stages: Stages, images: Array, scores: Array) -> None:
    """Passes between device operators leave every score as it is."""
    unit = stages[0][1].output_scale

    def differs(graph: Graph) -> bool:
        same = np.array_equal(evaluate_output(graph, images), scores)
        return not same or graph.output_scale != unit

    if not differs(stages[-1][1]):
        return
    name = next(name for name, graph in stages[1:] if differs(graph))
    raise MismatchError(f"{NAME}: the pass {name} changes the scores of the network", _REPORT)


_REPORT = "this is a defect of mcubnn: please report it with the model"


@dataclass
class _Walk:
    """State of one walk over the imported graph, which is sequential.

    Attributes:
        value: the current tensor; unbounded behind a layer that approximates, up to the next sign.
        behind_layer: whether a layer was met since the last sign.
        pads, flatten: what was met since the last layer, where the lowered graph has neither.
        is_approximate: whether the output is unknown.
    """

    imported: Graph
    lowered: Graph
    tensors: dict[str, Array]
    options: InputOptions
    value: Enclosure = field(init=False)
    behind_layer: bool = False
    pads: tuple[int, int, int, int] = (0, 0, 0, 0)
    flatten: Flatten | None = None
    is_approximate: bool = False

    def __post_init__(self) -> None:
        """Begin at the normalised pixels."""
        options, images = self.options, self.tensors[self.lowered.input].astype(np.float64)
        x = (images * options.scale - np.asarray(options.mean)) / np.asarray(options.std)
        plain = (options.scale, set(options.mean), set(options.std)) == (1.0, {0.0}, {1.0})
        largest = np.abs(images * options.scale) + np.abs(options.mean)
        rounding = 0.0 if plain else 2.0**-22 * largest / np.abs(options.std)
        single = (x - rounding).astype(np.float32), (x + rounding).astype(np.float32)
        self.value = Enclosure(single, (x, x))
        self.layers = {node.name: node.op for node in self.lowered.nodes}

    def visit(self, node: Node) -> None:
        """Advance over one node.

        Raises:
            MismatchError: a sign whose bits differ.
        """
        match node.op:
            case Sign():
                self._sign(node, node.op)
            case Conv2d() | Dense():
                self._layer(node, node.op)
            case Elementwise() as step:
                self.value = self.value.step(step)
            case op:
                self._move(op)

    def _move(self, op: Op) -> None:
        """A pool, pad or flatten."""
        self.value = self.value.map(lambda bound: op.evaluate([bound]))
        if isinstance(op, Flatten):
            self.flatten = op
        elif isinstance(op, Pad):
            top, left, bottom, right = (a + b for a, b in zip(self.pads, op.pads, strict=True))
            self.pads = (top, left, bottom, right)
        else:
            self.pads = (0, 0, 0, 0)

    def _layer(self, node: Node, op: Conv2d | Dense) -> None:
        stored = self.layers[node.name]
        assert isinstance(stored, SummingOp)
        if self.behind_layer or not stored.has_sign_weights:
            images = len(self.tensors[self.lowered.input])
            shape = (images, *self.imported.tensors[node.result].shape)
            self.value = Enclosure.of(np.full(shape, -np.inf), np.full(shape, np.inf))
        else:
            self.value = self.value.layer(op, _tolerance(stored))
        self.behind_layer, self.flatten, self.pads = True, None, (0, 0, 0, 0)

    def _sign(self, node: Node, op: Sign) -> None:
        shape = self.imported.tensors[node.result].shape
        bits = self._lowered_bits(node, shape)
        self._compare(node, op, bits)
        self.behind_layer = False

    def _compare(self, node: Node, op: Sign, bits: Array | None) -> None:
        least, most = self.value.bits(op.at_zero)
        border = self._border(least.shape) & (self.value.zeros() & (op.at_zero == 0))
        least, most = np.where(border, 0, least), np.where(border, 0, most)
        inside = ~self._border(least.shape)
        if bits is not None:
            wrong = inside & ((bits < least) | (bits > most))
            if wrong.any():
                raise self._difference(node, wrong, least, bits)
            least, most = np.where(inside, bits, least), np.where(inside, bits, most)
        self.value = Enclosure.of(least.astype(np.float64), most.astype(np.float64))

    def _border(self, shape: tuple[int, ...]) -> Array:
        """`[N, *shape]`, set where an explicit padding lies around a map."""
        border = np.zeros(shape, np.bool_)
        if any(self.pads):
            top, left, bottom, right = self.pads
            border[:] = True
            border[:, top : shape[1] - bottom, left : shape[2] - right] = False
        return border

    def _lowered_bits(self, node: Node, shape: tuple[int, ...]) -> Array | None:
        """The lowered graph's bits in the imported shape, the border of a padding as 0."""
        bits = self.tensors.get(node.result)
        if bits is None or self.lowered.tensors[node.result].dtype is not DType.BIT:
            return None
        if self.flatten is not None and bits.shape[1:] != shape:
            bits = self.flatten.evaluate([bits])
        if any(self.pads) and bits.shape[1:] != shape:
            bits = Pad(self.pads, 0.0).evaluate([bits])
        return bits

    def finish(self) -> None:
        """Compare the scores.

        Raises:
            MismatchError: they differ.
        """
        last = self.lowered.nodes[-1].op
        if not isinstance(last, SummingOp) or not np.isfinite(self.value.real).all():
            self.is_approximate = True
            return
        assert isinstance(last.stage, ScoreStage)
        scores = self.tensors[self.lowered.output].astype(np.float64)
        source = self.tensors[self.lowered.nodes[-1].sources[0]]
        is_exact = bool((last.stage.multiplier == 1).all())
        rounding = 0.01 if is_exact else 0.5 * last.largest_sum(source) + 1
        low, high = (bound / self.lowered.output_scale for bound in self.value.real)
        low, high = low.reshape(scores.shape), high.reshape(scores.shape)
        wrong = (scores < low - rounding) | (scores > high + rounding)
        if wrong.any():
            raise self._difference(self.imported.nodes[-1], wrong, (low + high) / 2, scores)

    def _difference(self, node: Node, wrong: Array, expected: Array, found: Array) -> MismatchError:
        image, *index = (int(i) for i in np.argwhere(wrong)[0])
        where = (image, *index)
        return MismatchError(
            f"{NAME}: the compiled network differs from the model: first at node {node.name} "
            f"({node.op.name}), tensor {node.result}, image {image}, index {index}: expected "
            f"{expected[where]:g}, found {found[where]:g}",
            _REPORT,
        )


def _tolerance(op: SummingOp) -> float:
    """Largest relative deviation of the stored weights."""
    multipliers = op.channel_multipliers if isinstance(op, InputConv2d | InputDense) else None
    if multipliers is None:
        return RELATIVE_TOLERANCE
    limit = largest_multiplier(op.weights[0].size) * (multipliers.min() / multipliers.max())
    return RELATIVE_TOLERANCE + 0.5 / float(limit)
