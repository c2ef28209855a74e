# SPDX-License-Identifier: Apache-2.0
"""What pycocotools says about evaluation cases.

    oracle.py cases.json [curves.f64]

cases.json is a list of {"annotations": {...}, "detections": [...], "image_ids": [...] or null,
"wants_curves": bool}. Prints one JSON line per case: the twelve figures and, per class by ascending
id, AP and AP50, all as hexadecimal floats. The arrays `precision` and `recall` of the cases that
want them are appended to curves.f64, raw and little-endian.
"""

import contextlib
import io
import json
import sys

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval


def load(annotations):
    coco = COCO()
    coco.dataset = annotations
    coco.createIndex()
    return coco


def load_detections(truth, detections):
    if detections:
        return truth.loadRes(detections)
    # loadRes looks at the first detection, so an empty list needs a file without boxes.
    return load({key: truth.dataset[key] for key in ("images", "categories")} | {"annotations": []})


def mean(values):
    values = values[values > -1]
    return float(np.mean(values)) if len(values) else -1.0


def evaluate(case):
    truth = load(case["annotations"])
    evaluation = COCOeval(truth, load_detections(truth, case["detections"]), "bbox")
    if case["image_ids"] is not None:
        evaluation.params.imgIds = case["image_ids"]
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    return evaluation


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        cases = json.load(file)
    curves = []
    for case in cases:
        with contextlib.redirect_stdout(io.StringIO()):
            evaluation = evaluate(case)
        precision = evaluation.eval["precision"]
        classes = range(precision.shape[2])
        print(json.dumps({
            "stats": [float(value).hex() for value in evaluation.stats],
            "ap": [mean(precision[:, :, k, 0, 2]).hex() for k in classes],
            "ap50": [mean(precision[0, :, k, 0, 2]).hex() for k in classes],
        }))
        if case["wants_curves"]:
            curves += [precision, evaluation.eval["recall"]]
    if len(sys.argv) > 2:
        with open(sys.argv[2], "wb") as file:
            for array in curves:
                file.write(array.astype("<f8").tobytes())


if __name__ == "__main__":
    main()
