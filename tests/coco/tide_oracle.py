# SPDX-License-Identifier: Apache-2.0
"""What tidecv, the authors' implementation of TIDE, says about evaluation cases.

    tide_oracle.py cases.json

cases.json is a list of {"annotations": {...}, "detections": [...]}. Prints one JSON line per case:
AP50, the gain of fixing each kind of error and their numbers. Exits with 77 if tidecv is not there.
"""

import importlib.util
import json
import sys
import types

if importlib.util.find_spec("tidecv") is None:
    sys.exit(77)

# tidecv draws pictures with these; nothing is drawn here, so they are not installed.
for name in ("appdirs", "matplotlib", "matplotlib.lines", "matplotlib.pyplot", "pandas", "seaborn"):
    module = types.ModuleType(name)
    module.user_data_dir = module.Line2D = None
    sys.modules.setdefault(name, module)
sys.modules["matplotlib"].pyplot = sys.modules["matplotlib.pyplot"]

from tidecv import quantify  # noqa: E402
from tidecv.ap import ClassedAPDataObject  # noqa: E402
from tidecv.data import Data  # noqa: E402

# The plotter makes folders; it is not needed.
quantify.P = types.SimpleNamespace(Plotter=lambda: None)


def mean_of_classes_with_boxes(self):
    """COCO's mean. tidecv's own takes in classes that have detections but no box, with an AP of 0."""
    aps = [each.get_ap() for each in self.objs.values() if each.num_gt_positives > 0]
    return sum(aps) / len(aps) if aps else 0


ClassedAPDataObject.get_mAP = mean_of_classes_with_boxes

KINDS = [quantify.ClassError, quantify.BoxError, quantify.OtherError, quantify.DuplicateError,
         quantify.BackgroundError, quantify.MissedError]


def split(case):
    truth, found = Data("truth", max_dets=100), Data("found")
    categories = {each["id"] for each in case["annotations"]["categories"]}
    images = {each["id"] for each in case["annotations"]["images"]}
    for image in sorted(images):
        truth.add_image(image, str(image))
    for box in case["annotations"]["annotations"]:
        if box["image_id"] not in images or box["category_id"] not in categories:
            continue
        add = truth.add_ignore_region if box["iscrowd"] else truth.add_ground_truth
        add(box["image_id"], box["category_id"], box["bbox"])
    for each in case["detections"]:
        if each["category_id"] in categories:
            found.add_detection(each["image_id"], each["category_id"], each["score"], each["bbox"])
    for category in categories:
        truth.add_class(category, str(category))
    run = quantify.TIDE().evaluate(truth, found, mode=quantify.TIDE.BOX)
    gains = run.fix_main_errors()
    wrong = {kind: sum(1 for error in run.error_dict[kind]
                       if not hasattr(error, "pred") or error.pred["used"] is False)
             for kind in KINDS}
    return {"ap50": run.ap / 100,
            "gains": [gains[kind] / 100 for kind in KINDS],
            "counts": [wrong[kind] for kind in KINDS]}


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        for case in json.load(file):
            print(json.dumps(split(case)))


if __name__ == "__main__":
    main()
