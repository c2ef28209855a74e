# SPDX-License-Identifier: Apache-2.0
"""Fails unless the models of make_foreign.py are what they are said to be: check_foreign.py FOLDER.

In ONNX Runtime, heads decoded by numpy are the decoded outputs, and all files of one backbone give
the same heads, also for a batch and sides other than those that static files are made for.
"""

import json
import pathlib
import sys

import numpy as np
import onnx
import onnxruntime

TOLERANCE = 2e-6  # Of the largest value: some float32 roundings.


def run(model, names, images):
    known = {output.name for output in model.graph.output}
    for name in names:
        if name not in known:
            model.graph.output.append(onnx.helper.make_empty_tensor_value_info(name))
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options,
                                           providers=["CPUExecutionProvider"])
    return session.run(names, {"images": images})


def decode(heads, strides, anchors):
    boxes = []
    for head, stride, sizes in zip(heads, strides, anchors):
        y = 1 / (1 + np.exp(-head.astype(np.float64)))
        batch, _, rows, columns, width = y.shape
        row, column = np.meshgrid(np.arange(rows), np.arange(columns), indexing="ij")
        y[..., 0] = (2 * y[..., 0] - 0.5 + column) * stride
        y[..., 1] = (2 * y[..., 1] - 0.5 + row) * stride
        y[..., 2:4] = (2 * y[..., 2:4]) ** 2 * np.array(sizes)[None, :, None, None]
        boxes.append(y.reshape(batch, -1, width))
    return np.concatenate(boxes, 1)


def require_near(actual, wanted, what):
    difference = np.abs(actual - wanted).max() / np.abs(wanted).max()
    assert difference <= TOLERANCE, f"{what}: off by {difference}"


def check(path, about, images, reference):
    heads = run(onnx.load(path), about["heads"], images)
    assert all(np.ptp(head) > 1 for head in heads), f"{path.stem}: outputs hardly vary"
    for head, first in zip(heads, reference.setdefault(about["backbone"], heads), strict=True):
        require_near(head, first, f"{path.stem}: head")
    if about["head"] == "decoded":
        decoded = run(onnx.load(path), about["outputs"][:1], images)[0]
        require_near(decoded, decode(heads, about["strides"], about["anchors"]), path.stem)


def main(folder):
    expected = json.loads((folder / "expected.json").read_text())
    random = np.random.default_rng(2)
    square = random.random((1, 3, 64, 64), dtype=np.float32)
    wide = random.random((2, 3, 64, 160), dtype=np.float32)
    square_reference, wide_reference = {}, {}
    for name, about in expected.items():
        check(folder / f"{name}.onnx", about, square, square_reference)
        if about["dynamic"]:
            check(folder / f"{name}.onnx", about, wide, wide_reference)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
