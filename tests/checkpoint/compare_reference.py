# SPDX-License-Identifier: Apache-2.0
"""Runs an ONNX file in ONNX Runtime and compares it with what Ultralytics' own Python computed.

    compare_reference.py model.onnx reference.npz [--check]

Prints one line per compared output: its name and the largest difference relative to the largest
value. Status 1 if an output has no counterpart or another shape.
"""
import sys

import numpy as np
import onnx
import onnxruntime


def images_of(reference):
    if "images" in reference:
        return reference["images"]
    return reference["letterboxed_rgb_u8"].astype(np.float32) / 255


def expected(reference, name, shape):
    array = reference["decoded" if name == "output" else name]
    if array.ndim == 5:  # [N, A, H, W, C]: what Detect makes of its convolution's output.
        n, a, h, w, c = array.shape
        array = array.transpose(0, 1, 4, 2, 3).reshape(n, a * c, h, w)
    if array.shape != shape:
        sys.exit(f"{name}: shape {shape}, expected {array.shape}")
    return array


def main(model, reference_path, *flags):
    if "--check" in flags:
        onnx.checker.check_model(model, full_check=True)
    reference = np.load(reference_path)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    results = session.run(names, {"images": images_of(reference)})
    for name, result in zip(names, results):
        wanted = expected(reference, name, result.shape)
        print(name, np.abs(result - wanted).max() / np.abs(wanted).max())


main(*sys.argv[1:])
