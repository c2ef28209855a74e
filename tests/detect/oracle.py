# SPDX-License-Identifier: Apache-2.0
"""Non-maximum suppression by its definition, and decoding by its formulas, in numpy.

    oracle.py suppress <in.json> <out.json>
    oracle.py decode <in.json> <out.json>

suppress: cases of {candidates: [[x1, y1, x2, y2, confidence, class]...], iou, most_boxes,
most_candidates, across_classes, class_offset}; answers the indices that stay, in order.
decode: cases of {form, shapes, values, strides, anchors, classes, confidence, multi_label}; answers
[x1, y1, x2, y2, confidence, class, row] sorted by row and class.
"""

import json
import sys

import numpy as np

f32 = np.float32


def overlap(a, others):
    """IoU of box a [4] with others [n, 4], float32."""
    width = np.maximum(f32(0), np.minimum(a[2], others[:, 2]) - np.maximum(a[0], others[:, 0]))
    height = np.maximum(f32(0), np.minimum(a[3], others[:, 3]) - np.maximum(a[1], others[:, 1]))
    inter = width * height
    area = (a[2] - a[0]) * (a[3] - a[1])
    areas = (others[:, 2] - others[:, 0]) * (others[:, 3] - others[:, 1])
    with np.errstate(invalid="ignore", divide="ignore"):
        return inter / (area + areas - inter)


def suppress(case):
    table = np.array(case["candidates"], dtype=f32).reshape(-1, 6)
    order = np.argsort(-table[:, 4], kind="stable")[: case["most_candidates"]]
    offset = f32(0 if case["across_classes"] else case["class_offset"])
    boxes = table[order, :4] + table[order, 5:6] * offset
    gone = np.zeros(len(order), dtype=bool)
    kept = []
    for i in range(len(order)):
        if gone[i]:
            continue
        kept.append(int(order[i]))
        # The threshold is a double: a float32 overlap is compared with it exactly.
        gone[i + 1 :] |= overlap(boxes[i], boxes[i + 1 :]).astype(np.float64) > case["iou"]
    return kept[: case["most_boxes"]]


def sigmoid(x):
    return (1 / (1 + np.exp(-x.astype(np.float64)))).astype(f32)


def rows_of_level(raw, stride, anchors):
    """[na, H, W, 5 + nc] logits to [na * H * W, 5 + nc] rows of x, y, w, h, probabilities."""
    na, height, width, columns = raw.shape
    p = sigmoid(raw)
    grid_y, grid_x = np.meshgrid(np.arange(height), np.arange(width), indexing="ij")
    grid = np.stack([grid_x, grid_y], -1).astype(f32)[None]
    p[..., 0:2] = (p[..., 0:2] * 2 - f32(0.5) + grid) * f32(stride)
    p[..., 2:4] = (p[..., 2:4] * 2) ** 2 * np.array(anchors, f32)[:, None, None, :]
    return p.reshape(-1, columns)


def decode(case):
    if case["form"] == "decoded":
        rows = np.array(case["values"][0], f32).reshape(case["shapes"][0])[0]
    else:
        levels = []
        for values, shape, stride, anchors in zip(
            case["values"], case["shapes"], case["strides"], case["anchors"]
        ):
            raw = np.array(values, f32).reshape(shape)[0]
            if case["form"] == "raw4d":
                raw = raw.reshape(len(anchors), -1, *raw.shape[1:]).transpose(0, 2, 3, 1)
            levels.append(rows_of_level(raw, stride, anchors))
        rows = np.concatenate(levels)
    found = []
    threshold = f32(case["confidence"])
    for index, row in enumerate(rows):
        if not row[4] > threshold:
            continue
        confidences = row[5:] * row[4]
        x, y, w, h = row[:4]
        box = [x - w / 2, y - h / 2, x + w / 2, y + h / 2]
        classes = range(len(confidences)) if case["multi_label"] else [int(confidences.argmax())]
        for c in classes:
            wanted = not case["classes"] or c in case["classes"]
            if wanted and confidences[c] > threshold:
                found.append([*map(float, box), float(confidences[c]), c, index])
    return found


if __name__ == "__main__":
    answer = {"suppress": suppress, "decode": decode}[sys.argv[1]]
    with open(sys.argv[2]) as source:
        cases = json.load(source)
    with open(sys.argv[3], "w") as target:
        json.dump([answer(case) for case in cases], target)
