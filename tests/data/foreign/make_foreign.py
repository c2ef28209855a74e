# SPDX-License-Identifier: Apache-2.0
"""Writes small models with the structure of YOLOv5's exported files: make_foreign.py FOLDER.

A backbone of a few layers with random weights and three heads of strides 8, 16 and 32; 3 classes.
FOLDER/<name>.onnx, and FOLDER/expected.json with what each one is:

    opset, head ("raw" or "decoded"), heads (values of shape [N, 3, H, W, 8] before the sigmoid, by
    rising stride), outputs, strides, anchors (pixels, or null if the file does not hold them),
    classes (names, or null), dynamic

All files of one style of backbone ("focus" or "conv") compute the same numbers.
"""

import dataclasses
import json
import pathlib
import sys

import numpy as np
import onnx
from decode import ANCHORS, DECODERS, STRIDES, raw_head
from onnx import helper
from tracing import F32, TO_THE_END, Trace

CLASSES = ["person", "bicycle", "traffic light"]
SIDE = 64
LAST = 12  # The module that is the head.


@dataclasses.dataclass(frozen=True)
class Style:
    """How an exporter writes a model down."""

    opset: int
    decoder: str  # A key of DECODERS; "raw" leaves the three heads as they are.
    focus: bool = False  # Slices in front, as until release v5.0.
    numbered: bool = False
    folded: bool = False
    dynamic: bool = False
    scales: bool = False  # Upsampling by constant scales; else to a computed size.
    heads_too: bool = False  # The heads are outputs beside the decoded one, as until v6.1.
    gathered: bool = False  # --train: shapes of constants are put together in the graph.
    output: str = "output"
    names: str = ""  # "list" or "dict"; absent from the metadata until v6.1.


STYLES = {
    "v5.0-raw": Style(12, "raw", focus=True, numbered=True, scales=True),
    "v5.0-raw-paths": Style(12, "raw", focus=True, scales=True),
    "v5.0-raw-dynamic": Style(12, "raw", focus=True, scales=True, dynamic=True),
    "v5.0-grid": Style(12, "in-place", focus=True, scales=True, heads_too=True),
    "v5.0-grid-numbered": Style(11, "in-place-folded", focus=True, numbered=True, scales=True,
                                heads_too=True),
    "v6.0": Style(13, "slices", heads_too=True),
    "v6.0-numbered": Style(12, "slices", numbered=True, scales=True, heads_too=True),
    "v6.0-dynamic": Style(13, "slices", heads_too=True, dynamic=True),
    "v6.0-in-place": Style(13, "in-place", heads_too=True),
    "v6.0-train": Style(13, "raw", gathered=True),
    "v6.2": Style(12, "split-uncounted", names="list"),
    "v6.2-numbered": Style(12, "split-uncounted", numbered=True, scales=True, names="list"),
    "v7.0": Style(12, "split", output="output0", names="dict"),
    "v7.0-opset17": Style(17, "split", output="output0", names="dict"),
    "v7.0-dynamic": Style(12, "split", output="output0", names="dict", dynamic=True),
    "v7.0-dynamic-opset17": Style(17, "split", output="output0", names="dict", dynamic=True),
    "v7.0-simplified": Style(12, "split", output="output0", names="dict", folded=True,
                             scales=True),
}


class Backbone:
    """Layers of YOLOv5 over a Trace; the same weights for the same layer in every style."""

    def __init__(self, trace, style):
        self.trace, self.style = trace, style
        self.random = np.random.default_rng(5)

    def plain_conv(self, x, c_in, c_out, scope, parameter, kernel=1, stride=1, pad=None):
        pad = kernel // 2 if pad is None else pad
        spread = 1.6 / np.sqrt(c_in * kernel * kernel)
        weight = self.random.standard_normal((c_out, c_in, kernel, kernel)) * spread
        bias = self.random.standard_normal(c_out) * 0.3
        inputs = [x, self.trace.parameter(f"{parameter}.weight", weight),
                  self.trace.parameter(f"{parameter}.bias", bias)]
        return self.trace.op("Conv", inputs, scope, dilations=[1, 1], group=1,
                             kernel_shape=[kernel] * 2, pads=[pad] * 4, strides=[stride] * 2)

    def conv(self, x, c_in, c_out, scope, **options):
        """Conv and SiLU; scope "model.2/m/m.0/cv1" has parameters of model.2.m.0.cv1."""
        parameter = scope.replace("/m/m.", "/m.").replace("/", ".") + ".conv"
        x = self.plain_conv(x, c_in, c_out, f"{scope}/conv", parameter, **options)
        gate = self.trace.op("Sigmoid", [x], f"{scope}/act")
        return self.trace.op("Mul", [x, gate], f"{scope}/act")

    def c3(self, x, c_in, c_out, scope, shortcut=True):
        half = c_out // 2
        first = self.conv(x, c_in, half, f"{scope}/cv1")
        inner = self.conv(first, half, half, f"{scope}/m/m.0/cv1")
        inner = self.conv(inner, half, half, f"{scope}/m/m.0/cv2", kernel=3)
        if shortcut:
            inner = self.trace.op("Add", [first, inner], f"{scope}/m/m.0")
        second = self.conv(x, c_in, half, f"{scope}/cv2")
        joined = self.trace.op("Concat", [inner, second], scope, axis=1)
        return self.conv(joined, c_out, c_out, f"{scope}/cv3")

    def pool(self, x, side, scope):
        return self.trace.op("MaxPool", [x], scope, ceil_mode=0, kernel_shape=[side] * 2,
                             pads=[side // 2] * 4, strides=[1, 1])

    def spp(self, x, channels, scope):
        """SPP of v5.0 pools three sizes side by side, SPPF one size thrice: the same result."""
        half = channels // 2
        x = self.conv(x, channels, half, f"{scope}/cv1")
        pooled = [x]
        for index, side in enumerate((5, 9, 13)):
            if self.style.focus:
                pooled.append(self.pool(x, side, f"{scope}/m.{index}"))
            else:
                pooled.append(self.pool(pooled[-1], 5, f"{scope}/m_{index}" if index else
                                        f"{scope}/m"))
        joined = self.trace.op("Concat", pooled, scope, axis=1)
        return self.conv(joined, half * 4, channels, f"{scope}/cv2")

    def focus(self, x, scope):
        t = self.trace
        rows = [t.slice(x, first, TO_THE_END, 2, scope, step=2) for first in (0, 1)]
        corners = [t.slice(rows[row], column, TO_THE_END, 3, scope, step=2)
                   for row, column in ((0, 0), (1, 0), (0, 1), (1, 1))]
        return t.op("Concat", corners, scope, axis=1)

    def stem(self, x):
        if self.style.focus:
            return self.conv(self.focus(x, "model.0"), 12, 8, "model.0/conv", kernel=3)
        return self.conv(x, 3, 8, "model.0", kernel=6, stride=2, pad=2)

    def upsample(self, x, side, scope):
        t = self.trace
        roi = "" if t.opset >= 13 else t.real([], scope)
        if self.style.scales:
            inputs = [x, roi, t.real([1, 1, 2, 2], scope)]
        else:
            none = "" if t.opset >= 13 else t.real([], scope)
            inputs = [x, roi, none, self.doubled_shape(x, side, scope)]
        return t.op("Resize", inputs, scope, coordinate_transformation_mode="asymmetric",
                    cubic_coeff_a=-0.75, mode="nearest", nearest_mode="floor")

    def doubled_shape(self, x, side, scope):
        t = self.trace
        sides = []
        for axis in (2, 3):
            if self.style.dynamic:
                size = t.op("Cast", [t.size(x, axis, scope)], scope, to=F32)
                size = t.op("Mul", [size, t.real(2.0, scope)], scope)
                size = t.op("Cast", [size], scope, to=F32)
            else:
                size = t.real(2.0 * side, scope)
            sides.append(t.op("Floor", [size], scope))
        space = t.op("Concat", [t.unsqueeze(side, 0, scope) for side in sides], scope, axis=0)
        shape = t.op("Shape", [x], scope)
        ends = [t.constant([number], scope) for number in (0, 2, 0)]
        batch = t.op("Slice", [shape, *ends], scope)
        space = t.op("Cast", [space], scope, to=onnx.TensorProto.INT64)
        return t.op("Concat", [batch, space], scope, axis=0)

    def features(self, x):
        """The three inputs of the head, by rising stride, with their channels."""
        t = self.trace
        x = self.conv(self.stem(x), 8, 8, "model.1", kernel=3, stride=2)
        x = self.conv(self.c3(x, 8, 8, "model.2"), 8, 16, "model.3", kernel=3, stride=2)
        p3 = x
        p4 = self.conv(p3, 16, 16, "model.4", kernel=3, stride=2)
        x = self.conv(p4, 16, 16, "model.5", kernel=3, stride=2)
        p5 = self.spp(x, 16, "model.6")
        up = self.upsample(p5, SIDE // 32, "model.7")
        p4 = self.c3(t.op("Concat", [up, p4], "model.8", axis=1), 32, 16, "model.9", False)
        up = self.upsample(p4, SIDE // 16, "model.10")
        p3 = t.op("Concat", [up, p3], "model.11", axis=1)
        return [(p3, 32), (p4, 16), (p5, 16)]


def port(name, shape):
    return helper.make_tensor_value_info(name, F32, shape)


def head_shape(level, style):
    if style.dynamic:
        return ["batch", 3, f"rows_{level}", f"columns_{level}", 5 + len(CLASSES)]
    side = SIDE // STRIDES[level]
    return [1, 3, side, side, 5 + len(CLASSES)]


def decoded_shape(style):
    if style.dynamic:
        return ["batch", "anchors", 5 + len(CLASSES)]
    return [1, sum(3 * (SIDE // stride) ** 2 for stride in STRIDES), 5 + len(CLASSES)]


def build(style):
    """The model, and the names of its heads."""
    trace = Trace(style.opset, style.numbered, style.folded)
    backbone = Backbone(trace, style)
    scope, width = f"model.{LAST}", 5 + len(CLASSES)
    heads, flat = [], []
    for level, (x, channels) in enumerate(backbone.features("images")):
        x = backbone.plain_conv(x, channels, 3 * width, f"{scope}/m.{level}", f"{scope}.m.{level}")
        side = SIDE // STRIDES[level]
        heads.append(raw_head(trace, x, side, width, style, scope))
        if style.decoder != "raw":
            flat.append(DECODERS[style.decoder](trace, heads[-1], level, side, width, scope))
    outputs = []
    if flat:
        joined = trace.op("Concat", flat, scope, axis=1)
        trace.rename(joined, style.output)
        outputs.append(port(style.output, decoded_shape(style)))
    elif not style.numbered:
        trace.rename(heads[0].value, style.output)
        heads[0].value = style.output
    if not flat or style.heads_too:
        outputs += [port(h.value, head_shape(level, style)) for level, h in enumerate(heads)]
    images = ["batch", 3, "height", "width"] if style.dynamic else [1, 3, SIDE, SIDE]
    graph = helper.make_graph(trace.nodes, "torch-jit-export" if style.numbered else "main_graph",
                              [port("images", images)], outputs, trace.initializers)
    model = helper.make_model(graph, producer_name="pytorch", ir_version=7,
                              opset_imports=[helper.make_opsetid("", style.opset)])
    if style.opset >= 15:
        model.ir_version = 8
    if style.names:
        names = CLASSES if style.names == "list" else dict(enumerate(CLASSES))
        helper.set_model_props(model, {"stride": "32", "names": str(names)})
    return model, [head.value for head in heads]


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    expected = {}
    for name, style in STYLES.items():
        model, heads = build(style)
        onnx.checker.check_model(model, full_check=True)
        (folder / f"{name}.onnx").write_bytes(model.SerializeToString())
        decoded = style.decoder != "raw"
        expected[name] = {
            "opset": style.opset,
            "head": "decoded" if decoded else "raw",
            "heads": heads,
            "outputs": [output.name for output in model.graph.output],
            "strides": STRIDES,
            "anchors": ANCHORS if decoded else None,
            "classes": CLASSES if style.names else None,
            "dynamic": style.dynamic,
            "backbone": "focus" if style.focus else "conv",
        }
    (folder / "expected.json").write_text(json.dumps(expected, indent=1))


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
