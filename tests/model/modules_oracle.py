# SPDX-License-Identifier: Apache-2.0
"""Computes YOLOv5's modules in numpy, as PyTorch defines them, and compares with ONNX Runtime.

    modules_oracle.py model.onnx MODULE [model.onnx MODULE ...]

A file has an input "x" and an output "y"; its constants are named like the module's state_dict.
Prints a line per file: the largest difference, relative to the largest value.
"""
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper


def conv2d(x, weight, bias=None, stride=1, padding=None, groups=1):
    o, _, kh, kw = weight.shape
    pads = (kh // 2, kw // 2) if padding is None else (padding, padding)
    x = np.pad(x, ((0, 0), (0, 0), (pads[0],) * 2, (pads[1],) * 2))
    windows = np.lib.stride_tricks.sliding_window_view(x, (kh, kw), axis=(2, 3))
    windows = windows[:, :, ::stride, ::stride].astype(np.float64)
    parts = [
        np.einsum("nchwij,ocij->nohw", part, kernel)
        for part, kernel in zip(np.split(windows, groups, 1), np.split(weight, groups, 0))
    ]
    y = np.concatenate(parts, 1)
    return y if bias is None else y + bias[None, :, None, None]


def max_pool(x, size):
    pad = size // 2
    x = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)), constant_values=-np.inf)
    return np.lib.stride_tricks.sliding_window_view(x, (size, size), axis=(2, 3)).max((-1, -2))


ACTIVATIONS = {
    "silu": lambda x: x / (1 + np.exp(-x)),
    "hardswish": lambda x: x * np.clip(x + 3, 0, 6) / 6,
    "leaky_relu": lambda x: np.where(x > 0, x, 0.1 * x),
    "relu": lambda x: np.maximum(x, 0),
    "identity": lambda x: x,
}


class Model:
    def __init__(self, constants, eps):
        self.constants, self.eps = constants, eps
        self.act = ACTIVATIONS["silu"]

    def conv2d(self, path, x, **options):
        bias = self.constants.get(path + ".bias")
        return conv2d(x, self.constants[path + ".weight"], bias, **options)

    def norm(self, path, x):
        get = lambda key: self.constants[f"{path}.{key}"][None, :, None, None].astype(np.float64)
        scale = get("weight") / np.sqrt(get("running_var") + self.eps)
        return (x - get("running_mean")) * scale + get("bias")

    def conv(self, path, x, **options):
        x = self.conv2d(path + ".conv", x, **options)
        return self.act(self.norm(path + ".bn", x) if path + ".bn.weight" in self.constants else x)

    def bottleneck(self, path, x, add):
        y = self.conv(path + ".cv2", self.conv(path + ".cv1", x))
        return x + y if add else y

    def spp(self, path, x):
        y = self.conv(path + ".cv1", x)
        return self.conv(path + ".cv2", np.concatenate([y] + [max_pool(y, k) for k in (5, 9, 13)], 1))

    def sppf(self, path, x):
        return self.spp(path, x)  # Three pools of 5 see what pools of 5, 9 and 13 see.

    def c3(self, path, x, add):
        inner = self.bottleneck(path + ".m.0", self.conv(path + ".cv1", x), add)
        outer = self.conv(path + ".cv2", x)
        return self.conv(path + ".cv3", np.concatenate([inner, outer], 1))

    def csp(self, path, x):
        inner = self.bottleneck(path + ".m.0", self.conv(path + ".cv1", x), False)
        inner = self.conv2d(path + ".cv3", inner)
        joined = np.concatenate([inner, self.conv2d(path + ".cv2", x)], 1)
        joined = ACTIVATIONS["leaky_relu"](self.norm(path + ".bn", joined))
        return self.conv(path + ".cv4", joined)

    def c3spp(self, path, x):
        inner = self.spp(path + ".m", self.conv(path + ".cv1", x))
        outer = self.conv(path + ".cv2", x)
        return self.conv(path + ".cv3", np.concatenate([inner, outer], 1))

    def focus(self, path, x):
        parts = [x[..., ::2, ::2], x[..., 1::2, ::2], x[..., ::2, 1::2], x[..., 1::2, 1::2]]
        return self.conv(path + ".conv", np.concatenate(parts, 1))


def contract(x, s=2):
    n, c, h, w = x.shape
    x = x.reshape(n, c, h // s, s, w // s, s).transpose(0, 3, 5, 1, 2, 4)
    return x.reshape(n, c * s * s, h // s, w // s)


def expand(x, s=2):
    n, c, h, w = x.shape
    x = x.reshape(n, s, s, c // s**2, h, w).transpose(0, 3, 4, 1, 5, 2)
    return x.reshape(n, c // s**2, h * s, w * s)


def expected(model, module, x):
    if module in ACTIVATIONS:
        model.act = ACTIVATIONS[module]
        return model.conv("m", x)
    return {
        "strided": lambda: model.conv("m", x, stride=2, padding=1),
        "grouped": lambda: model.conv("m", x, groups=4),
        "cross": lambda: model.bottleneck("m", x, True),
        "bottleneck": lambda: model.bottleneck("m", x, False),
        "c3": lambda: model.c3("m", x, True),
        "csp": lambda: model.csp("m", x),
        "c3spp": lambda: model.c3spp("m", x),
        "spp": lambda: model.spp("m", x),
        "sppf": lambda: model.sppf("m", x),
        "focus": lambda: model.focus("m", x),
        "upsample": lambda: x.repeat(2, 2).repeat(3, 3),
        "contract": lambda: contract(x),
        "expand": lambda: expand(x),
        "sequential": lambda: model.conv("m.1", model.conv("m.0", x)),
    }[module]()


def compare(path, module):
    onnx.checker.check_model(path, full_check=True)
    file = onnx.load(path)
    constants = {c.name: numpy_helper.to_array(c) for c in file.graph.initializer}
    epsilons = {a.f for node in file.graph.node for a in node.attribute if a.name == "epsilon"}
    assert len(epsilons) <= 1
    shape = [d.dim_value for d in file.graph.input[0].type.tensor_type.shape.dim]
    x = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (result,) = session.run(["y"], {"x": x})
    wanted = expected(Model(constants, *epsilons or [0]), module, x)
    assert result.shape == wanted.shape, (result.shape, wanted.shape)
    print(np.abs(result - wanted).max() / np.abs(wanted).max())


for arguments in zip(sys.argv[1::2], sys.argv[2::2]):
    compare(*arguments)
