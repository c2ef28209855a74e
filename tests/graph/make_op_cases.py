# SPDX-License-Identifier: Apache-2.0
"""Writes one-node models with random inputs and what ONNX Runtime computes for them.

usage: make_op_cases.py FOLDER [SEED]

For each case: NAME.txt, the graph in yoloq's text form, and NAME.npz with every input, constant and
output by name: x0, x1, ...; c0, c1, ...; y0, y1, .... The text's first line gives the opset.
"""

import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

f32, i64 = np.float32, np.int64
rng = np.random.default_rng(int(sys.argv[2]) if len(sys.argv) > 2 else 1)
cases = []


def normal(*shape):
    return rng.standard_normal(shape).astype(f32)


def integers(low, high, *shape, dtype=i64):
    return rng.integers(low, high, shape).astype(dtype)


def ints(*values):
    return np.array(values, i64)


class C:
    """An input that is a constant of the graph."""

    def __init__(self, array):
        self.array = array


def case(op, *inputs, opset=13, outputs=1, label="", **attributes):
    cases.append((op, inputs, opset, outputs, label, attributes))


def elementwise():
    x = normal(2, 3, 5)
    for op in ["Ceil", "Erf", "Exp", "Floor", "HardSigmoid", "HardSwish", "Relu", "Sigmoid", "Softplus", "Tanh"]:
        case(op, x, opset=14 if op == "HardSwish" else 13)
    for op in ["Abs", "Neg"]:
        case(op, x)
        case(op, integers(-9, 9, 7), label="Int64")
    case("HardSigmoid", x, label="Attributes", alpha=0.3, beta=0.4)
    case("Elu", x, alpha=0.7)
    case("LeakyRelu", x, alpha=0.1)
    case("LeakyRelu", x, label="Default")
    case("Identity", x)
    case("Dropout", x)
    case("Log", np.abs(x) + 0.1)
    case("Sqrt", np.abs(x))
    case("Reciprocal", np.abs(x) + 0.5)
    case("Round", np.array([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 0.4], f32))
    case("Not", x > 0)
    case("Clip", x, C(f32(-0.5)), C(f32(0.7)))
    case("Clip", x, None, C(f32(0.2)), label="OnlyMax")
    case("Clip", x, opset=6, label="Attributes", min=-0.3, max=0.3)
    for name, to in [("Int64", TensorProto.INT64), ("Bool", TensorProto.BOOL), ("Half", TensorProto.FLOAT16),
                     ("Same", TensorProto.FLOAT), ("Uint8", TensorProto.UINT8)]:
        case("Cast", np.abs(x) * 20 if name == "Uint8" else x * 3, label=name, to=to)
    case("Cast", integers(-5, 5, 4), label="ToFloat", to=TensorProto.FLOAT)
    case("Cast", x.astype(np.float16), label="FromHalf", to=TensorProto.FLOAT)
    case("Sigmoid", x.astype(np.float16), label="Half")
    case("Add", x.astype(np.float16), normal(5).astype(np.float16), label="Half")


def broadcasting():
    pairs = [((2, 3, 4), (2, 3, 4)), ((2, 3, 4), (4,)), ((3, 1), (2, 1, 5)), ((), (3,)), ((1, 3, 1, 1), (2, 3, 2, 2))]
    for op in ["Add", "Sub", "Mul", "Div", "Max", "Min"]:
        for i, (a, b) in enumerate(pairs):
            right = normal(*b)
            case(op, normal(*a), right if op != "Div" else np.sign(right) + right, label=str(i))
        case(op, integers(-9, 9, 3, 4), integers(1, 5, 4), label="Int64")
    case("Max", normal(3), normal(2, 3), normal(1), label="Three")
    for op in ["Equal", "Less", "Greater", "LessOrEqual", "GreaterOrEqual"]:
        case(op, integers(0, 3, 4, 5), integers(0, 3, 5))
        case(op, normal(4), normal(3, 1), label="Float")
    for op in ["And", "Or"]:
        case(op, normal(3, 4) > 0, normal(4) > 0)
    case("Where", normal(3, 1) > 0, normal(4), normal(2, 3, 4))
    case("Where", normal(4) > 0, integers(0, 9, 4), integers(0, 9, 4), label="Int64")
    case("Pow", np.abs(normal(3, 4)), C(f32(2)))
    case("Pow", np.abs(normal(3, 4)) + 0.1, normal(4), label="Broadcast")
    case("Pow", integers(-3, 4, 5), C(ints(3)), label="Int64")
    case("Mod", integers(-9, 9, 8), np.array([3, -3, 2, -2, 5, 4, -4, 1], i64))
    case("Mod", normal(6), np.abs(normal(6)) + 0.3, label="Float", fmod=1)


def convolution():
    def conv(shape, weight, label, bias=True, **attributes):
        inputs = [normal(*shape), C(normal(*weight))] + ([C(normal(weight[0]))] if bias else [])
        case("Conv", *inputs, label=label, **attributes)

    conv((2, 3, 7, 8), (4, 3, 3, 3), "Same", pads=[1, 1, 1, 1])
    conv((1, 3, 12, 10), (4, 3, 6, 6), "Stem", strides=[2, 2], pads=[2, 2, 2, 2])
    conv((1, 4, 9, 9), (6, 2, 3, 3), "Groups", group=2, strides=[2, 1], pads=[0, 1, 2, 0])
    conv((1, 6, 9, 9), (6, 1, 3, 3), "Depthwise", group=6, dilations=[2, 2], bias=False)
    conv((1, 2, 7, 9), (3, 2, 4, 3), "SameUpper", auto_pad="SAME_UPPER", strides=[2, 2])
    conv((1, 2, 7, 9), (3, 2, 4, 3), "SameLower", auto_pad="SAME_LOWER", strides=[2, 3])
    conv((1, 2, 7, 9), (3, 2, 4, 3), "Valid", auto_pad="VALID")
    conv((2, 3, 11), (4, 3, 5), "OneAxis", strides=[2], pads=[2, 1])
    x = normal(2, 3, 4, 5)
    parameters = [C(normal(3)), C(normal(3)), C(normal(3)), C(np.abs(normal(3)) + 0.1)]
    case("BatchNormalization", x, *parameters, epsilon=1e-3)
    case("BatchNormalization", x, *parameters, label="Default")
    case("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])
    case("MaxPool", normal(1, 2, 9, 9), label="Sppf", kernel_shape=[5, 5], pads=[2, 2, 2, 2])
    case("MaxPool", normal(1, 2, 8, 9), label="Ceil", kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1)
    case("MaxPool", normal(1, 2, 9, 9), label="Dilated", kernel_shape=[2, 3], dilations=[2, 2])
    case("MaxPool", integers(-99, 99, 1, 2, 6, 6, dtype=np.int8), label="Int8", kernel_shape=[3, 3], pads=[1, 1, 1, 1])
    case("AveragePool", normal(1, 2, 7, 7), kernel_shape=[3, 3], pads=[1, 1, 1, 1])
    case("AveragePool", normal(1, 2, 7, 7), label="Padded", kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1)
    case("GlobalAveragePool", x)
    case("MatMul", normal(3, 4), normal(4, 5))
    case("MatMul", normal(2, 1, 3, 4), normal(3, 4, 2), label="Batches")
    case("Gemm", normal(3, 4), normal(4, 5))
    case("Gemm", normal(4, 3), normal(5, 4), normal(5), label="All", transA=1, transB=1, alpha=0.5, beta=2.0)


def layout():
    x = normal(2, 3, 4, 5)
    case("Concat", x, normal(2, 1, 4, 5), normal(2, 2, 4, 5), axis=1)
    case("Concat", integers(0, 9, 3), integers(0, 9, 2), label="Int64", axis=-1)
    case("Reshape", x, C(ints(0, -1, 10)))
    case("Reshape", x, C(ints(6, 20)), label="Fixed")
    case("Transpose", x, perm=[0, 2, 3, 1])
    case("Transpose", x, label="Reversed")
    case("Flatten", x)
    case("Flatten", x, label="LastAxes", axis=-1)
    case("Squeeze", normal(1, 3, 1, 2), C(ints(0, -2)))
    case("Squeeze", normal(1, 3, 1, 2), label="All")
    case("Squeeze", normal(1, 3, 1, 2), opset=11, label="Attribute", axes=[2])
    case("Unsqueeze", normal(3, 4), C(ints(0, -1)))
    case("Unsqueeze", normal(3, 4), opset=11, label="Attribute", axes=[1])
    case("Expand", normal(3, 1), C(ints(2, 1, 4)))
    case("Tile", normal(2, 3), C(ints(2, 3)))
    case("Pad", x, C(ints(0, 0, 1, 2, 0, 0, 3, 0)), C(f32(0.5)))
    case("Pad", x, C(ints(0, 1, 1, 2, 0, 1, 3, 1)), label="Edge", mode="edge")
    case("Pad", x, C(ints(0, 0, 1, 2, 0, 0, 3, 4)), label="Reflect", mode="reflect")
    case("Pad", x, C(ints(0, 0, -1, 2, 0, -1, 0, -2)), label="Crops")
    case("Pad", x, opset=9, label="Attribute", pads=[0, 0, 1, 1, 0, 0, 1, 1], value=2.0)
    case("Slice", x, C(ints(0, 1)), C(ints(2**63 - 1, 4)), C(ints(2, 3)), C(ints(2, 1)))
    case("Slice", x, C(ints(-1, 4)), C(ints(-100, 0)), C(ints(-1, 2)), C(ints(-2, -1)), label="Backwards")
    case("Slice", x, C(ints(1)), C(ints(-1)), label="NoAxes")
    case("Slice", x, C(ints(5)), C(ints(9)), C(ints(3)), label="Empty")
    case("Slice", x, opset=9, label="Attributes", starts=[1, 0], ends=[3, -1], axes=[1, 3])
    case("Split", x, C(ints(1, 3)), outputs=2, axis=2)
    case("Split", normal(2, 6), outputs=3, label="Equal", axis=-1)
    case("Split", x, opset=11, outputs=2, label="Attribute", axis=3, split=[2, 3])
    case("Split", normal(7, 2), opset=18, outputs=3, label="Uneven", num_outputs=3)
    case("Gather", x, C(ints(3, 0, -1)), axis=2)
    case("Gather", integers(0, 9, 5), C(np.array(2, i64)), label="Scalar")
    case("Gather", x, C(integers(0, 3, 2, 2)), label="Matrix", axis=1)
    case("ScatterND", normal(4, 3), C(ints(2, 0).reshape(2, 1)), normal(2, 3))
    case("ScatterND", normal(2, 3, 4), C(ints(0, 2, 1, -1).reshape(2, 2)), normal(2, 4), label="Deeper")


def resize():
    x = normal(1, 2, 4, 3)
    asymmetric = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    case("Resize", x, None, C(np.array([1, 1, 2, 2], f32)), label="Double", **asymmetric)
    case("Resize", x, None, C(np.array([1, 1, 1.5, 2.7], f32)), label="Fraction", **asymmetric)
    case("Resize", x, None, None, C(ints(1, 2, 8, 6)), label="Sizes", **asymmetric)
    case("Resize", x, None, None, C(ints(1, 2, 7, 2)), label="OddSizes", **asymmetric)
    for mode in ["half_pixel", "pytorch_half_pixel", "align_corners"]:
        for rounding in ["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"]:
            case("Resize", x, None, C(np.array([1, 1, 2, 3], f32)), label=f"{mode}_{rounding}", mode="nearest",
                 coordinate_transformation_mode=mode, nearest_mode=rounding)
    case("Resize", x, C(np.array([1, 1, 2, 2], f32)), opset=10, label="Version10", mode="nearest")
    case("Upsample", x, C(np.array([1, 1, 2, 2], f32)), opset=9, mode="nearest")
    case("Upsample", x, opset=7, label="Attribute", mode="nearest", scales=[1.0, 1.0, 2.0, 3.0])


def reduce():
    x = normal(2, 3, 4)
    for op in ["ReduceMax", "ReduceMin", "ReduceMean", "ReduceProd"]:
        case(op, x, axes=[1])
        case(op, x, label="All", keepdims=0)
        case(op, x, C(ints(0, -1)), opset=18, label="AxesInput")
    case("ReduceProd", integers(1, 5, 4), label="Int64", keepdims=0)
    case("ReduceSum", x, C(ints(0, 2)), keepdims=0)
    case("ReduceSum", x, opset=11, label="Attribute", axes=[-1])
    case("ReduceSum", x, label="NoAxes", noop_with_empty_axes=1)
    case("ArgMax", x, axis=1)
    case("ArgMax", x, label="Gone", axis=-1, keepdims=0)
    case("Softmax", x)
    case("Softmax", x, label="Axis", axis=1)
    case("Softmax", x, opset=11, label="Flat", axis=1)


def shape_values():
    x = normal(2, 3, 4)
    case("Shape", x)
    case("Shape", x, opset=15, label="Part", start=-2, end=3)
    case("Size", x)
    case("Constant", value=numpy_helper.from_array(normal(2, 2)))
    case("Constant", label="Ints", value_ints=[1, 2, 3])
    case("Constant", label="Float", value_float=0.5)
    case("ConstantOfShape", C(ints(2, 3)), value=numpy_helper.from_array(np.array([7], i64)))
    case("ConstantOfShape", C(ints(4)), label="Default")
    case("NonZero", (normal(3, 4) > 0).astype(f32))
    case("Range", C(np.array(1, i64)), C(np.array(12, i64)), C(np.array(3, i64)))
    case("Range", C(f32(5)), C(f32(-1)), C(f32(-1.5)), label="FloatDown")


def codecs():
    x = normal(2, 3, 4, 4) * 40
    ties = (np.arange(-8, 8) / 2).astype(f32)
    channels = np.array([0.1, 0.25, 0.5], f32)
    case("QuantizeLinear", x, C(f32(0.5)), C(np.int8(0)), label="Int8")
    case("QuantizeLinear", x, C(f32(0.5)), C(np.uint8(128)), label="Uint8")
    case("QuantizeLinear", x, C(f32(0.3)), label="NoZeroPoint")
    case("QuantizeLinear", ties, C(f32(1)), C(np.int8(3)), label="Ties")
    case("QuantizeLinear", x, C(channels), C(np.array([0, 3, -5], np.int8)), label="PerAxis", axis=1)
    case("DequantizeLinear", integers(-128, 127, 2, 3, dtype=np.int8), C(f32(0.5)), C(np.int8(0)), label="Int8")
    case("DequantizeLinear", integers(0, 255, 2, 3, dtype=np.uint8), C(f32(0.2)), C(np.uint8(100)), label="Uint8")
    case("DequantizeLinear", integers(-128, 127, 3, 2, 2, 2, dtype=np.int8), C(channels), C(np.zeros(3, np.int8)),
         label="PerAxis", axis=0)


def text_of(value):
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return repr(float(f32(value))) if value != int(value) else f"{value:.1f}"
    if isinstance(value, list):
        return "[" + ",".join(text_of(v) for v in value) + "]"
    if isinstance(value, TensorProto):
        array = numpy_helper.to_array(value)
        return f"{array.dtype}[{','.join(map(str, array.shape))}] {{{','.join(map(str, array.flat))}}}"
    return str(value)


def write(folder, name, op, inputs, opset, outputs, attributes):
    arrays, names, ports, constants = {}, [], [], []
    for i, given in enumerate(inputs):
        constant = isinstance(given, C)
        array = np.asarray(given.array if constant else given) if given is not None else None
        key = "" if given is None else f"c{i}" if constant else f"x{i}"
        names.append(key)
        if array is None:
            continue
        arrays[key] = array
        if constant:
            constants.append(numpy_helper.from_array(array, key))
        else:
            ports.append(helper.make_tensor_value_info(key, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape))
    results = [f"y{i}" for i in range(outputs)]
    node = helper.make_node(op, names, results, **attributes)
    graph = helper.make_graph([node], "case", ports, [onnx.ValueInfoProto(name=r) for r in results], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    feeds = {port.name: arrays[port.name] for port in ports}
    arrays.update(zip(results, (np.asarray(y, order="C") for y in session.run(None, feeds))))
    np.savez(folder / f"{name}.npz", **arrays)

    def port(key):
        return f"{key} {arrays[key].dtype}[{','.join(map(str, arrays[key].shape))}]"

    listed = "".join(f" {key}={text_of(value)}" for key, value in attributes.items())
    lines = [f"# opset {opset}"] + [f"input {port(p.name)}" for p in ports]
    lines += [f"{', '.join(results)} = {op}({', '.join(names)}){listed}", f"return {', '.join(results)}"]
    (folder / f"{name}.txt").write_text("\n".join(lines) + "\n")


def main():
    onnxruntime.set_default_logger_severity(3)
    folder = Path(sys.argv[1])
    for family in [elementwise, broadcasting, convolution, layout, resize, reduce, shape_values, codecs]:
        family()
    for op, inputs, opset, outputs, label, attributes in cases:
        name = op + label
        if (folder / f"{name}.txt").exists():
            raise SystemExit(f"two cases are called {name}")
        try:
            write(folder, name, op, inputs, opset, outputs, attributes)
        except Exception as error:
            raise SystemExit(f"{name}: {error}")


main()
