# SPDX-License-Identifier: Apache-2.0
"""The head of YOLOv5 as its releases' exporters write it down.

Each decoder takes the head [N, 3, H, W, 5 + classes] and returns boxes
[N, 3 * H * W, 5 + classes]: centre and size in pixels of the image, then probabilities.

    centre = (2 * sigmoid - 0.5 + cell) * stride        size = (2 * sigmoid)^2 * anchor
"""

import dataclasses
import functools

import numpy as np
from tracing import F32, I64, TO_THE_END

STRIDES = [8, 16, 32]
ANCHORS = [  # Width and height in pixels, three per stride.
    [[10, 13], [16, 30], [33, 23]],
    [[30, 61], [62, 45], [59, 119]],
    [[116, 90], [156, 198], [373, 326]],
]


@dataclasses.dataclass
class Head:
    value: str
    batch: object  # 1, or the scalar measured at run time; alike the others.
    rows: object
    columns: object


def raw_head(trace, x, side, width, style, scope):
    """[N, 3 * width, H, W] to [N, 3, H, W, width]."""
    sizes = [1, side, side]
    if style.dynamic:
        sizes = [trace.size(x, axis, scope) for axis in (0, 2, 3)]
    shape = [sizes[0], 3, width, *sizes[1:]]
    if style.gathered:  # A shape of constants, put together in the graph.
        shape = [trace.constant(size, scope) for size in shape]
    x = trace.reshape(x, shape, scope)
    return Head(trace.op("Transpose", [x], scope, perm=[0, 1, 3, 4, 2]), *sizes)


def cells(side, boxes):
    """Column and row of each cell, [1, boxes, side, side, 2]."""
    rows, columns = np.meshgrid(np.arange(side), np.arange(side), indexing="ij")
    grid = np.stack([columns, rows], -1)[None, None]
    return np.broadcast_to(grid, (1, boxes, side, side, 2))


def sizes_of(level, side=None):
    anchors = np.array(ANCHORS[level], np.float32).reshape(1, 3, 1, 1, 2)
    return anchors if side is None else np.broadcast_to(anchors, (1, 3, side, side, 2))


def counted(t, head, scope, dtype):
    """Cells and anchors-to-be made at run time: two ranges, spread over each other."""
    kind = np.float32 if dtype == F32 else np.int64
    ranges = []
    for size in (head.rows, head.columns):
        limit = t.op("Cast", [size], scope, to=dtype)
        ends = [t.constant(0, scope, kind), limit, t.constant(1, scope, kind)]
        ranges.append(t.op("Range", ends, scope))
        if dtype == I64:
            ranges[-1] = t.op("Cast", ranges[-1:], scope, to=I64)
    ranges = [t.op("Reshape", [numbers, t.constant([-1], scope)], scope) for numbers in ranges]
    lengths = [t.op("Shape", [numbers], scope) for numbers in ranges]
    plane = t.op("Concat", lengths, scope, axis=0)
    one = t.constant([1], scope)
    spread = []
    for numbers, parts in zip(ranges, ([lengths[0], one], [one, lengths[1]])):
        shape = t.op("Concat", parts, scope, axis=0)
        spread.append(t.op("Expand", [t.op("Reshape", [numbers, shape], scope), plane], scope))
    pairs = t.op("Concat", [t.unsqueeze(axis, 2, scope) for axis in reversed(spread)], scope,
                 axis=2)
    return t.expand(pairs, [1, 3, head.rows, head.columns, 2], scope)


def dynamic_sizes(t, head, level, scope):
    anchors = t.parameter(f"onnx::Expand_{700 + level}", sizes_of(level))
    return t.expand(anchors, [1, 3, head.rows, head.columns, 2], scope)


def flattened(t, value, head, counts_boxes, width, scope):
    """[N, 3, H, W, width] to [N, 3 * H * W, width]."""
    count = -1
    if counts_boxes and isinstance(head.rows, int):
        count = 3 * head.rows * head.columns
    elif counts_boxes:
        three = t.op("Mul", [head.columns, t.constant(3, scope)], scope)
        count = t.op("Mul", [three, head.rows], scope)
    return t.reshape(value, [head.batch, count, width], scope)


def squared(t, value, sizes, scope):
    value = t.op("Mul", [value, t.real(2.0, scope)], scope)
    value = t.op("Pow", [value, t.real(2.0, scope)], scope)
    return t.op("Mul", [value, sizes], scope)


def split(t, head, level, side, width, scope, counts_boxes=True):
    """v6.2 and v7.0: one Split; the 0.5 is in the grid already. v7.0 counts the boxes."""
    dynamic = not isinstance(head.rows, int)
    if dynamic:
        grid = t.op("Sub", [counted(t, head, scope, F32), t.real(0.5, scope)], scope)
        sizes = dynamic_sizes(t, head, level, scope)
    sigmoid = t.op("Sigmoid", [head.value], scope)
    centre, size, rest = t.split(sigmoid, [2, 2, width - 4], 4, scope)
    centre = t.op("Mul", [centre, t.real(2.0, scope)], scope)
    if not dynamic:
        grid = t.real(cells(side, 3) - 0.5, scope)
    centre = t.op("Add", [centre, grid], scope)
    centre = t.op("Mul", [centre, t.real(STRIDES[level], scope)], scope)
    if not dynamic:
        sizes = t.real(sizes_of(level, side), scope)
    size = squared(t, size, sizes, scope)
    joined = t.op("Concat", [centre, size, rest], scope, axis=4)
    return flattened(t, joined, head, counts_boxes, width, scope)


def centre_of(t, part, grid, level, scope):
    part = t.op("Mul", [part, t.real(2.0, scope)], scope)
    part = t.op("Sub", [part, t.real(0.5, scope)], scope)
    part = t.op("Add", [part, grid], scope)
    return t.op("Mul", [part, t.real(STRIDES[level], scope)], scope)


def slices(t, head, level, side, width, scope):
    """v6.0 and v6.1: three Slices."""
    dynamic = not isinstance(head.rows, int)
    if dynamic:
        grid = t.op("Cast", [counted(t, head, scope, I64)], scope, to=F32)
        sizes = t.op("Cast", [dynamic_sizes(t, head, level, scope)], scope, to=F32)
    sigmoid = t.op("Sigmoid", [head.value], scope)
    centre = t.slice(sigmoid, 0, 2, 4, scope)
    if not dynamic:
        grid = t.real(cells(side, 3), scope)
    centre = centre_of(t, centre, grid, level, scope)
    size = t.slice(sigmoid, 2, 4, 4, scope)
    if not dynamic:
        sizes = t.real(sizes_of(level, side), scope)
    size = squared(t, size, sizes, scope)
    rest = t.slice(sigmoid, 4, TO_THE_END, 4, scope)
    joined = t.op("Concat", [centre, size, rest], scope, axis=-1)
    return flattened(t, joined, head, False, width, scope)


def scattered(t, data, updates, channels, side, scope):
    """data[..., channels] = updates, by coordinates that are computed in the graph."""
    target = t.slice(data, channels[0], channels[1] + 1, 4, scope)
    updates = t.op("Expand", [updates, t.op("Shape", [target], scope)], scope)
    whole = [1, 3, side, side, 2]
    axes = [np.arange(size) for size in whole[:-1]] + [np.array(channels)]
    indices = []
    for axis, numbers in enumerate(axes):
        shape = numbers.reshape(-1, *[1] * (4 - axis)) if axis else numbers.reshape([1] * 5)
        spread = t.expand(t.constant(shape, scope), whole, scope)
        indices.append(t.unsqueeze(spread, -1, scope))
    where = t.op("Concat", indices, scope, axis=-1)
    rest = t.op("Slice", [t.op("Shape", [data], scope), t.constant([5], scope),
                          t.constant([TO_THE_END], scope), t.constant([0], scope)], scope)
    shape = t.op("Concat", [t.constant(whole, scope), rest], scope, axis=0)
    updates = t.op("Reshape", [updates, shape], scope)
    return t.op("ScatterND", [data, where, updates], scope)


def scattered_folded(t, data, updates, channels, side, scope):
    """The same with the coordinates as one constant, as earlier PyTorch folded them."""
    axes = [range(1), range(3), range(side), range(side), channels]
    indices = np.stack(np.meshgrid(*axes, indexing="ij"), -1)
    return t.op("ScatterND", [data, t.constant(indices, scope), updates], scope)


def in_place_by(scatter):
    def decode(t, head, level, side, width, scope):
        """v5.0 --grid, v6.0 --inplace: boxes are written over the sigmoid's output."""
        data = t.op("Sigmoid", [head.value], scope)
        grid = t.real(cells(side, 1), scope)
        centre = centre_of(t, t.slice(data, 0, 2, 4, scope), grid, level, scope)
        data = scatter(t, data, centre, [0, 1], side, scope)
        sizes = t.parameter(f"onnx::Mul_{900 + level}", sizes_of(level))
        size = squared(t, t.slice(data, 2, 4, 4, scope), sizes, scope)
        data = scatter(t, data, size, [2, 3], side, scope)
        return flattened(t, data, head, False, width, scope)

    return decode


DECODERS = {
    "split": split,
    "split-uncounted": functools.partial(split, counts_boxes=False),
    "slices": slices,
    "in-place": in_place_by(scattered),
    "in-place-folded": in_place_by(scattered_folded),
}
