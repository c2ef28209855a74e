# SPDX-License-Identifier: Apache-2.0
"""Writes down operators as PyTorch's tracing exporter does: names, constants as nodes, axes."""

import collections

import numpy as np
from onnx import TensorProto, helper, numpy_helper

F32, I64 = TensorProto.FLOAT, TensorProto.INT64
TO_THE_END = 2**63 - 1


class Trace:
    """A graph that grows by one operator per call.

    numbered: names as `Conv_17`, values as `123` (PyTorch before 1.13); else names as
    `/model.2/cv1/conv/Conv`. folded: constants are initializers, as simplifiers leave them.
    """

    def __init__(self, opset, numbered=False, folded=False):
        self.opset, self.numbered, self.folded = opset, numbered, folded
        self.nodes, self.initializers = [], []
        self.value_number = 100
        self.seen = collections.Counter()

    def op(self, kind, inputs, scope, outputs=1, **attributes):
        """Adds a node below module `scope`; returns the name of its value, or a list of names."""
        if self.numbered:
            name = f"{kind}_{len(self.nodes)}"
            written = [str(self.value_number + i) for i in range(outputs)]
            self.value_number += outputs
        else:
            path = "/" + "/".join(part for part in (scope, kind) if part)
            name = f"{path}_{self.seen[path]}" if self.seen[path] else path
            self.seen[path] += 1
            written = [f"{name}_output_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(kind, inputs, written, name, **attributes))
        return written[0] if outputs == 1 else written

    def constant(self, values, scope, dtype=np.int64):
        tensor = numpy_helper.from_array(np.array(values, dtype))
        if not self.folded:
            return self.op("Constant", [], scope, value=tensor)
        tensor.name = f"constant_{len(self.initializers)}"
        self.initializers.append(tensor)
        return tensor.name

    def real(self, value, scope):
        return self.constant(value, scope, np.float32)

    def parameter(self, name, values):
        self.initializers.append(numpy_helper.from_array(values.astype(np.float32), name))
        return name

    def unsqueeze(self, value, axis, scope):
        if self.opset < 13:
            return self.op("Unsqueeze", [value], scope, axes=[axis])
        return self.op("Unsqueeze", [value, self.constant([axis], scope)], scope)

    def split(self, value, sizes, axis, scope):
        if self.opset < 13:
            return self.op("Split", [value], scope, len(sizes), axis=axis, split=sizes)
        return self.op("Split", [value, self.constant(sizes, scope)], scope, len(sizes), axis=axis)

    def slice(self, value, begin, end, axis, scope, step=1):
        ends = [self.constant([number], scope) for number in (axis, begin, end, step)]
        return self.op("Slice", [value, ends[1], ends[2], ends[0], ends[3]], scope)

    def size(self, value, axis, scope):
        """A dimension that is known at run time: a scalar."""
        shape = self.op("Shape", [value], scope)
        return self.op("Gather", [shape, self.constant(axis, scope)], scope, axis=0)

    def shape(self, sizes, scope):
        """A shape of fixed and, as value names, measured dimensions."""
        if all(isinstance(size, int) for size in sizes):
            return self.constant(sizes, scope)
        parts = [
            self.constant([size], scope) if isinstance(size, int)
            else self.unsqueeze(size, 0, scope)
            for size in sizes
        ]
        return self.op("Concat", parts, scope, axis=0)

    def reshape(self, value, sizes, scope):
        return self.op("Reshape", [value, self.shape(sizes, scope)], scope)

    def expand(self, value, sizes, scope, measured=None):
        """Tensor.expand: -1 would keep a size, hence the comparison; none is -1 here."""
        shape = measured or self.shape(sizes, scope)
        if measured is None and not all(isinstance(size, int) for size in sizes):
            shape = self.op("Reshape", [shape, self.constant([-1], scope)], scope)
            rank = self.op("Shape", [shape], scope)
        else:
            rank = self.constant([len(sizes)], scope)
        one = numpy_helper.from_array(np.array([1]))
        ones = self.op("ConstantOfShape", [rank], scope, value=one)
        minus = self.op("Mul", [ones, self.constant(-1, scope)], scope)
        same = self.op("Equal", [shape, minus], scope)
        chosen = self.op("Where", [same, ones, shape], scope)
        return self.op("Expand", [value, chosen], scope)

    def rename(self, old, new):
        """Gives a value another name wherever it stands."""
        for node in self.nodes:
            for names in (node.input, node.output):
                for index, name in enumerate(names):
                    if name == old:
                        names[index] = new
