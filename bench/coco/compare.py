# SPDX-License-Identifier: Apache-2.0
"""Times coco_eval_bench against other COCO evaluators, side by side.

    compare.py --bench build/release/bench/coco/coco_eval_bench \
        --annotations ../shared/data/coco/annotations/val2017_all5000_boxes.json

Makes detections from the annotations (seeded: each box once or more with jitter, the rest noise),
runs all evaluators in turn, each in a process of its own, several rounds, and prints JSON: every
run, the medians, how many times longer each other takes, and whether its figures are the same.
"""

import argparse
import importlib.util
import json
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile

MODULES = {
    "hotcoco": "hotcoco",
    "pycocotools": "pycocotools",
    "faster-coco-eval": "faster_coco_eval",
}

# Runs in a fresh process; load and evaluate are timed alike for all.
RUN_OTHER = r"""
import contextlib, io, json, sys, time
name, annotations, detections = sys.argv[1:4]
if name == "hotcoco":
    from hotcoco import COCO, COCOeval
elif name == "pycocotools":
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval
else:
    from faster_coco_eval import COCO, COCOeval_faster as COCOeval
with contextlib.redirect_stdout(io.StringIO()):
    start_cpu = time.process_time()
    start = time.perf_counter()
    truth = COCO(annotations)
    loaded_truth = time.perf_counter()
    found = truth.load_res(detections) if name == "hotcoco" else truth.loadRes(detections)
    loaded = time.perf_counter()
    evaluation = COCOeval(truth, found, "bbox")
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    done = time.perf_counter()
print(json.dumps({"load_s": loaded - start, "load_annotations_s": loaded_truth - start,
    "evaluate_s": done - loaded, "cpu_s": time.process_time() - start_cpu,
    "peak_rss_mb": next(int(line.split()[1]) / 1024 for line in open("/proc/self/status")
                        if line.startswith("VmHWM")),
    "stats": [float(x) for x in evaluation.stats[:12]]}))
"""


def make_detections(annotations, count, seed):
    """Two jittered copies of most boxes, then noise in random images, in order of the image."""
    rng = random.Random(seed)
    categories = [c["id"] for c in annotations["categories"]]
    images = {image["id"]: image for image in annotations["images"]}
    found = {image: [] for image in images}

    def add(image, category, box, score):
        found[image].append({
            "image_id": image,
            "category_id": category,
            "bbox": [round(v, 3) for v in box],
            "score": round(min(max(score, 0.001), 1.0), 5),
        })

    for truth in annotations["annotations"]:
        x, y, w, h = truth["bbox"]
        for sigma in (0.05, 0.15):
            if rng.random() < 0.15:
                continue
            box = [x + rng.gauss(0, sigma) * w, y + rng.gauss(0, sigma) * h,
                   w * (1 + rng.gauss(0, sigma)), h * (1 + rng.gauss(0, sigma))]
            add(truth["image_id"], truth["category_id"], box, rng.betavariate(4, 2))
    ids = sorted(images)
    for _ in range(count - sum(map(len, found.values()))):
        image = images[rng.choice(ids)]
        w = image["width"] * rng.random() ** 2
        h = image["height"] * rng.random() ** 2
        box = [rng.random() * (image["width"] - w), rng.random() * (image["height"] - h), w, h]
        add(image["id"], rng.choice(categories), box, rng.betavariate(1, 12))
    for image in ids:
        found[image].sort(key=lambda detection: -detection["score"])
    return [detection for image in ids for detection in found[image]]


def run(command):
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    if finished.returncode != 0:
        sys.exit(f"{' '.join(map(str, command[:2]))} failed:\n{finished.stderr}")
    return json.loads(finished.stdout.strip().splitlines()[-1])


def summary(runs):
    keys = ("load_s", "load_annotations_s", "evaluate_s", "cpu_s", "peak_rss_mb")
    medians = {key: statistics.median(run[key] for run in runs) for key in keys}
    medians["total_s"] = statistics.median(run["load_s"] + run["evaluate_s"] for run in runs)
    medians["least_total_s"] = min(run["load_s"] + run["evaluate_s"] for run in runs)
    return medians


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--bench", required=True, type=pathlib.Path)
    parser.add_argument("--annotations", required=True, type=pathlib.Path)
    parser.add_argument("--detections", type=pathlib.Path, help="default: made from --annotations")
    parser.add_argument("--count", type=int, default=600_000, help="detections to make")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--with", dest="others", action="append", choices=sorted(MODULES),
                        help="repeatable; default: hotcoco")
    options = parser.parse_args()
    others = options.others or ["hotcoco"]
    for other in others:
        if importlib.util.find_spec(MODULES[other]) is None:
            sys.exit(f"{other} is not installed in {sys.executable}")

    with tempfile.TemporaryDirectory() as folder:
        detections = options.detections
        if detections is None:
            detections = pathlib.Path(folder) / "detections.json"
            truth = json.loads(options.annotations.read_text())
            made = make_detections(truth, options.count, options.seed)
            detections.write_text(json.dumps(made, separators=(",", ":")))
        runs = {name: [] for name in ["yoloq", *others]}
        for _ in range(options.rounds):
            runs["yoloq"].append(run([options.bench, options.annotations, detections]))
            for other in others:
                command = [sys.executable, "-c", RUN_OTHER, other, options.annotations, detections]
                runs[other].append(run(command))
        size_mb = detections.stat().st_size / 1e6

    medians = {name: summary(one) for name, one in runs.items()}
    ours = medians["yoloq"]
    stats = runs["yoloq"][0]["stats"]
    print(json.dumps({
        "detections": runs["yoloq"][0]["detections"],
        "detections_file_mb": size_mb,
        "rounds": options.rounds,
        "median": medians,
        "times_longer_than_yoloq": {
            other: {key: medians[other][key] / ours[key]
                    for key in ("load_s", "evaluate_s", "total_s", "cpu_s", "peak_rss_mb")}
            for other in others
        },
        "largest_difference_of_a_figure": {
            other: max(abs(a - b) for a, b in zip(runs[other][0]["stats"], stats))
            for other in others
        },
        "stats": stats,
    }, indent=2))


if __name__ == "__main__":
    main()
