# SPDX-License-Identifier: Apache-2.0
"""Runs a model in ONNX Runtime exactly as it is written, without optimizations.

usage: run_onnx.py MODEL OUT.npz NAME:SHAPE:FILE...

FILE holds raw float32; SHAPE is 1,3,32,32. The outputs are written in the model's order as
"0", "1", ....
"""
import sys

import numpy
import onnxruntime

model, out, *inputs = sys.argv[1:]
feeds = {}
for text in inputs:
    name, shape, file = text.rsplit(":", 2)
    feeds[name] = numpy.fromfile(file, "<f4").reshape([int(size) for size in shape.split(",")])
options = onnxruntime.SessionOptions()
options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
outputs = session.run(None, feeds)
numpy.savez(out, **{str(i): array for i, array in enumerate(outputs)})
