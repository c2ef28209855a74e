# SPDX-License-Identifier: Apache-2.0
"""Writes small models of early operator sets: make_old_models.py FOLDER.

FOLDER/<name>_<opset>.onnx use what later operator sets say in another way;
FOLDER/refused/<name>.onnx cannot be said in a later one.
"""

import pathlib
import sys

import numpy as np
from onnx import TensorProto, helper, numpy_helper

F32 = TensorProto.FLOAT
RANDOM = np.random.default_rng(11)


def info(name, shape, dtype=F32):
    return helper.make_tensor_value_info(name, dtype, shape)


def array(name, values, dtype=np.float32):
    return numpy_helper.from_array(np.array(values, dtype), name)


def constant(name, *shape):
    return array(name, RANDOM.standard_normal(shape))


def old(node, inputs, outputs, initializers=(), opset=9, ir=4):
    nodes = node if isinstance(node, list) else [node]
    graph = helper.make_graph(nodes, "old", inputs, outputs, list(initializers))
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=ir)


def unary(op, shape, out_shape, opset, **attributes):
    node = helper.make_node(op, ["x"], ["y"], **attributes)
    return old(node, [info("x", shape)], [info("y", out_shape)], opset=opset)


def half(op, **attributes):
    """An operator on float16 between two casts; the type of its input is nowhere written down."""
    nodes = [
        helper.make_node("Cast", ["x"], ["h"], to=TensorProto.FLOAT16),
        helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node(op, ["r"], ["k"], **attributes),
        helper.make_node("Cast", ["k"], ["y"], to=F32),
    ]
    return old(nodes, [info("x", [2, 3])], [info("y", [2, 3])], opset=10)


def untyped():
    """A Clip whose type only an operator of nobody knows."""
    nodes = [
        helper.make_node("Foreign", [], ["f"], domain="acme"),
        helper.make_node("Clip", ["f"], ["y"], min=0.0),
    ]
    made = old(nodes, [], [info("z", [2])], opset=10)
    made.graph.node.append(helper.make_node("Cast", ["y"], ["z"], to=F32))
    return made


def several(op, inputs, shapes, opset, initializers=(), **attributes):
    names = [f"y{i}" for i in range(len(shapes))]
    node = helper.make_node(op, inputs, names, **attributes)
    outputs = [info(name, shape) for name, shape in zip(names, shapes)]
    return old(node, [info("x", [2, 6, 4])], outputs, initializers, opset)


def upsample(opset, mode, scales):
    op = "Upsample" if opset == 9 else "Resize"
    node = helper.make_node(op, ["x", "scales"], ["y"], mode=mode)
    shape = [int(size * scale) for size, scale in zip([1, 2, 5, 6], scales)]
    return old(node, [info("x", [1, 2, 5, 6])], [info("y", shape)], [array("scales", scales)],
               opset)


def resize_11(**attributes):
    roi, scales = array("roi", []), array("scales", [1, 1, 2, 3])
    node = helper.make_node("Resize", ["x", "roi", "scales"], ["y"], **attributes)
    return old(node, [info("x", [1, 2, 5, 6])], [info("y", [1, 2, 10, 18])], [roi, scales], 11)


def top_k():
    nodes = [helper.make_node("TopK", ["x"], ["y", "i"], k=2, axis=1)]
    return old(nodes, [info("x", [2, 6])], [info("y", [2, 2]), info("i", [2, 2], TensorProto.INT64)])


def scatter():
    node = helper.make_node("Scatter", ["x", "i", "u"], ["y"], axis=1)
    return old(node, [info("x", [2, 6])], [info("y", [2, 6])],
               [array("i", [[1, 5]], np.int64), constant("u", 1, 2)])


def batch_norm():
    """Constants are inputs, as IR 3 demands."""
    names = ["scale", "bias", "mean", "var"]
    constants = [constant(name, 4) for name in names[:3]] + [array("var", [1, 2, 3, 4])]
    node = helper.make_node("BatchNormalization", ["x", *names], ["y"], epsilon=0.001)
    inputs = [info("x", [1, 4, 2, 2])] + [info(name, [4]) for name in names]
    return old(node, inputs, [info("y", [1, 4, 2, 2])], constants, ir=3)


def roi_align():
    node = helper.make_node("RoiAlign", ["x", "rois", "batch"], ["y"], output_height=2,
                            output_width=3, sampling_ratio=2)
    return old(node, [info("x", [1, 2, 8, 8])], [info("y", [1, 2, 2, 3])],
               [array("rois", [[1.2, 0.7, 6.1, 7.3]]), array("batch", [0], np.int64)], opset=10)


def reduce_models():
    for op in ("L1", "L2", "LogSumExp", "Max", "Mean", "Min", "Prod", "Sum", "SumSquare"):
        for opset in (9, 11, 12):
            yield f"Reduce{op}_{opset}", unary(f"Reduce{op}", [2, 3, 4], [2, 1, 4], opset, axes=[1])
        yield f"Reduce{op}All_12", unary(f"Reduce{op}", [2, 3], [], 12, keepdims=0)
    positive = [helper.make_node("Abs", ["x"], ["a"]),
                helper.make_node("ReduceLogSum", ["a"], ["y"], axes=[-1], keepdims=0)]
    yield "ReduceLogSum_11", old(positive, [info("x", [2, 3])], [info("y", [2])], opset=11)
    yield "ReduceMean_17", unary("ReduceMean", [2, 3, 4], [2, 3, 1], 17, axes=[-1])


def softmax_models():
    for op in ("Softmax", "LogSoftmax", "Hardmax"):
        for axis in (0, 1, 2):
            yield f"{op}Axis{axis}_9", unary(op, [2, 3, 4], [2, 3, 4], 9, axis=axis)
        yield f"{op}Last_11", unary(op, [2, 3, 4], [2, 3, 4], 11, axis=-1)
        yield f"{op}Negative_11", unary(op, [2, 3, 4], [2, 3, 4], 11, axis=-2)
        yield f"{op}Default_12", unary(op, [2, 3, 4], [2, 3, 4], 12)


def models():
    yield from reduce_models()
    yield from softmax_models()
    for opset in (9, 11, 12):
        yield f"Squeeze_{opset}", unary("Squeeze", [2, 1, 3, 1], [2, 3, 1], opset, axes=[1])
        yield f"Unsqueeze_{opset}", unary("Unsqueeze", [2, 3], [1, 2, 3, 1], opset, axes=[0, 3])
        yield f"SplitSizes_{opset}", several(
            "Split", ["x"], [[2, 1, 4], [2, 2, 4], [2, 3, 4]], opset, axis=1, split=[1, 2, 3])
        yield f"SplitEqual_{opset}", several("Split", ["x"], [[2, 3, 4]] * 2, opset, axis=1)
        yield f"Dropout_{opset}", unary("Dropout", [2, 3], [2, 3], opset,
                                        **({} if opset == 12 else {"ratio": 0.3}))
        if opset < 12:
            yield f"SplitOne_{opset}", several("Split", ["x"], [[2, 6, 4]], opset, axis=1)
    yield "SqueezeAll_9", unary("Squeeze", [1, 3, 1], [3], 9)
    yield "SplitInput_13", several("Split", ["x", "s"], [[2, 6, 1], [2, 6, 3]], 13,
                                   [array("s", [1, 3], np.int64)], axis=2)
    yield "SplitEqual_17", several("Split", ["x"], [[2, 6, 2]] * 2, 17, axis=-1)
    yield "Slice_9", unary("Slice", [4, 6], [2, 3], 9, axes=[1, 0], starts=[1, -3], ends=[4, -1])
    yield "SliceNoAxes_9", unary("Slice", [4, 6], [3, 5], 9, starts=[1, 1], ends=[9, 9])
    yield "TopK_9", top_k()
    yield "Scatter_9", scatter()
    yield "RoiAlign_10", roi_align()
    yield "BatchNormalization_9", batch_norm()
    for opset in (9, 10):
        yield f"Clip_{opset}", unary("Clip", [2, 3], [2, 3], opset, min=-0.2, max=0.3)
        yield f"ClipLow_{opset}", unary("Clip", [2, 3], [2, 3], opset, min=-0.2)
        yield f"ClipHigh_{opset}", unary("Clip", [2, 3], [2, 3], opset, max=0.3)
        yield f"ClipNone_{opset}", unary("Clip", [2, 3], [2, 3], opset)
        pads = [0, 0, 1, 2, 0, 0, 3, 0]
        yield f"PadConstant_{opset}", unary("Pad", [1, 2, 5, 6], [1, 2, 9, 8], opset, pads=pads,
                                            value=0.5)
        yield f"PadZero_{opset}", unary("Pad", [1, 2, 5, 6], [1, 2, 9, 8], opset, pads=pads)
        yield f"PadEdge_{opset}", unary("Pad", [1, 2, 5, 6], [1, 2, 9, 8], opset, pads=pads,
                                        mode="edge")
        for mode in ("nearest", "linear"):
            for scale in (2, 3, 1.5):
                yield f"Upsample{mode}{scale}_{opset}", upsample(opset, mode, [1, 1, 2, scale])
    yield "ClipHalf_10", half("Clip", min=-0.25, max=0.5)
    yield "ResizeNearest_11", resize_11(coordinate_transformation_mode="asymmetric",
                                        mode="nearest", nearest_mode="floor")
    yield "ResizeLinear_11", resize_11(mode="linear")


def refused():
    yield "shrink", upsample(10, "nearest", [1, 1, 0.5, 0.5])
    yield "half_pixel_for_nn", resize_11(coordinate_transformation_mode="tf_half_pixel_for_nn",
                                         mode="nearest")
    branch = helper.make_graph([helper.make_node("Relu", ["x"], ["z"])], "b", [], [info("z", [2])])
    choose = helper.make_node("If", ["flag"], ["y"], then_branch=branch, else_branch=branch)
    yield "subgraph", old(choose, [info("x", [2]), info("flag", [], TensorProto.BOOL)],
                          [info("y", [2])], opset=11)
    yield "unknown_op", unary("Unheard", [2], [2], 11)
    yield "opset_8", unary("Relu", [2], [2], 8)
    yield "untyped", untyped()
    training = batch_norm()
    training.graph.node[0].output.extend(["running_mean", "running_var"])
    yield "training", training
    yield "no_axes", unary("Unsqueeze", [2], [2], 11)
    yield "no_pads", unary("Pad", [2], [2], 10)
    yield "no_k", unary("TopK", [2], [2], 9)
    yield "no_starts", unary("Slice", [2], [2], 9)


def main(folder):
    (folder / "refused").mkdir(parents=True)
    for name, made in models():
        (folder / f"{name}.onnx").write_bytes(made.SerializeToString())
    for name, made in refused():
        (folder / "refused" / f"{name}.onnx").write_bytes(made.SerializeToString())


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
