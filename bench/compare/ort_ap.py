#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""AP of an ONNX file with raw YOLOv5 heads, executed literally by ONNX Runtime.

Everything here is independent of yoloq: OpenCV letterboxes, ONNX Runtime (graph optimizations off, so
that each QuantizeLinear and DequantizeLinear is computed as written) infers, numpy decodes and
suppresses, pycocotools evaluates. Prints JSON.

    ort_ap.py MODEL.onnx --images FOLDER [--annotations instances_val2017.json] [--img 640] [--limit N]

Without --annotations the boxes are those of YOLO's label files: images/val/0.jpg has labels/val/0.txt.
"""

import argparse
import contextlib
import io
import json
import pathlib

import cv2
import numpy as np
import onnxruntime
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval


def letterbox(image, side=640):
    height, width = image.shape[:2]
    ratio = min(side / height, side / width)
    size = round(width * ratio), round(height * ratio)
    if size != (width, height):
        image = cv2.resize(image, size, interpolation=cv2.INTER_LINEAR)
    dw, dh = (side - size[0]) / 2, (side - size[1]) / 2
    top, bottom = round(dh - 0.1), round(dh + 0.1)
    left, right = round(dw - 0.1), round(dw + 0.1)
    grey = (114, 114, 114)
    image = cv2.copyMakeBorder(image, top, bottom, left, right, cv2.BORDER_CONSTANT, value=grey)
    return image[:, :, ::-1].transpose(2, 0, 1), ratio, left, top


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def decode(heads, strides, anchors):
    rows = []
    for head, stride, sizes in zip(heads, strides, anchors):
        count = len(sizes)
        _, channels, h, w = head.shape
        p = sigmoid(head.reshape(count, channels // count, h, w).transpose(0, 2, 3, 1))
        grid = np.stack(np.meshgrid(np.arange(w), np.arange(h)), -1)
        p[..., :2] = (p[..., :2] * 2 - 0.5 + grid) * stride
        p[..., 2:4] = (p[..., 2:4] * 2) ** 2 * np.asarray(sizes, np.float32)[:, None, None]
        rows.append(p.reshape(-1, channels // count))
    return np.concatenate(rows)


def suppress(boxes, scores, limit=0.6):
    order = np.argsort(-scores, kind="stable")
    keep = []
    while order.size:
        best, rest = order[0], order[1:]
        keep.append(best)
        low = np.maximum(boxes[best, :2], boxes[rest, :2])
        high = np.minimum(boxes[best, 2:], boxes[rest, 2:])
        inter = np.prod(np.clip(high - low, 0, None), axis=1)
        area = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
        order = rest[inter / (area[best] + area[rest] - inter) <= limit]
    return keep


def detect(rows):
    rows = rows[rows[:, 4] > 0.001]
    scores = rows[:, 5:] * rows[:, 4:5]
    index, label = np.nonzero(scores > 0.001)
    score = scores[index, label]
    best = np.argsort(-score, kind="stable")[:30000]
    index, label, score = index[best], label[best], score[best]
    half = rows[index, 2:4] / 2
    boxes = np.concatenate([rows[index, :2] - half, rows[index, :2] + half], 1)
    kept = []
    for c in np.unique(label):
        members = np.flatnonzero(label == c)
        kept += [members[k] for k in suppress(boxes[members], score[members])]
    kept = sorted(kept, key=lambda k: -score[k])[:300]
    return boxes[kept], score[kept], label[kept]


def labelled(folder):
    """What pycocotools reads, of a folder of images and the label files that belong to it."""
    parts = list(folder.resolve().parts)
    parts[len(parts) - 1 - parts[::-1].index("images")] = "labels"
    images, annotations, classes = [], [], set()
    for number, path in enumerate(sorted(folder.iterdir())):
        height, width = cv2.imread(str(path)).shape[:2]
        images.append({"id": number, "file_name": path.name, "width": width, "height": height})
        file = pathlib.Path(*parts) / f"{path.stem}.txt"
        for line in file.read_text().splitlines() if file.exists() else []:
            label, cx, cy, w, h = (float(word) for word in line.split())
            w, h = w * width, h * height
            annotations.append({"id": len(annotations) + 1, "image_id": number, "iscrowd": 0,
                                "category_id": int(label), "area": w * h,
                                "bbox": [cx * width - w / 2, cy * height - h / 2, w, h]})
            classes.add(int(label))
    truth = COCO()
    truth.dataset = {"images": images, "annotations": annotations,
                     "categories": [{"id": c} for c in range(max(classes) + 1)]}
    truth.createIndex()
    return truth


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("--images", type=pathlib.Path, required=True)
    parser.add_argument("--annotations")
    parser.add_argument("--img", type=int, default=640)
    parser.add_argument("--limit", type=int, default=0)
    arguments = parser.parse_args()

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(arguments.model, options, ["CPUExecutionProvider"])
    metadata = session.get_modelmeta().custom_metadata_map
    strides, anchors = json.loads(metadata["strides"]), json.loads(metadata["anchors"])
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(arguments.annotations) if arguments.annotations else labelled(arguments.images)
    categories = sorted(truth.getCatIds())
    images = sorted(truth.getImgIds())[: arguments.limit or None]
    detections = []
    for number in images:
        image = cv2.imread(str(arguments.images / truth.imgs[number]["file_name"]))
        planes, ratio, left, top = letterbox(image, arguments.img)
        tensor = np.ascontiguousarray(planes[None], np.float32) / 255
        boxes, scores, labels = detect(decode(session.run(None, {session.get_inputs()[0].name: tensor}),
                                              strides, anchors))
        height, width = image.shape[:2]
        boxes[:, [0, 2]] = np.clip((boxes[:, [0, 2]] - left) / ratio, 0, width)
        boxes[:, [1, 3]] = np.clip((boxes[:, [1, 3]] - top) / ratio, 0, height)
        for (x1, y1, x2, y2), score, label in zip(boxes.tolist(), scores.tolist(), labels):
            box = [round(v, 3) for v in (x1, y1, x2 - x1, y2 - y1)]
            detections.append({"image_id": number, "category_id": categories[label], "bbox": box,
                               "score": round(score, 5)})
    with contextlib.redirect_stdout(io.StringIO()):
        evaluation = COCOeval(truth, truth.loadRes(detections), "bbox")
        evaluation.params.imgIds = images
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    print(json.dumps({"model": arguments.model, "images": len(images),
                      "onnxruntime": onnxruntime.__version__, "AP": evaluation.stats[0],
                      "AP50": evaluation.stats[1]}, indent=1))


if __name__ == "__main__":
    main()
