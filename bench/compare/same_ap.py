#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Has the exported Q/DQ file the AP of the model that was trained?

Trains the detector of this repository with `yoloq qat` on drawn images and evaluates on many others:
the fake-quantized model in LibTorch, its file in OpenVINO with integer kernels, and literally in ONNX
Runtime (ort_ap.py). Values near the middle of two codes fall on either side where float sums have
another order, so that each runtime draws its own rounding errors: the fewer the images, the further the
APs are from each other. Prints JSON.

    same_ap.py --yoloq build/release/src/cli/yoloq --work FOLDER [--images 4000] [--seeds 3]
"""

import argparse
import json
import pathlib
import subprocess
import sys

SIDE = 160
HERE = pathlib.Path(__file__).resolve().parent
WEIGHTS = HERE.parent.parent / "models/yolov5p-shapes.ckpt"


def has_int8_dot_product():
    return any(name in pathlib.Path("/proc/cpuinfo").read_text() for name in ("avx512_vnni", "avx_vnni"))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--yoloq", type=pathlib.Path, required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--images", type=int, default=4000)
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    work = arguments.work
    data = work / "data/data.yaml"
    reduce = [] if has_int8_dot_product() else ["--reduce-range"]

    def yoloq(*words):
        with open(work / "log", "a", encoding="utf-8") as log:
            subprocess.run([arguments.yoloq, *map(str, words)], check=True, stdout=log, stderr=log)

    def evaluate(*words):
        result = work / "eval.json"
        yoloq("eval", *words, "--data", data, "--img", SIDE, "--latency-seconds", 0, "--resamples", 0,
              "--json", result)
        return json.loads(result.read_text())

    work.mkdir(parents=True, exist_ok=True)
    yoloq("dataset", "shapes", "--out", work / "data", "--images", 400, "--val", arguments.images,
          "--img", SIDE, "--classes", 4, "--smallest", 32, "--visible", 0.6, "--force")
    rows = []
    for target in ("tensorrt", "openvino"):
        for seed in range(1, arguments.seeds + 1):
            run = work / f"{target}-{seed}"
            file = run / "model.onnx"
            yoloq("qat", "--weights", WEIGHTS, "--data", data, "--img", SIDE, *reduce, "--target", target,
                  "--seed", seed, "--epochs", 4, "--evaluate-every", 0, "--no-val", "--out", run, "--exist-ok")
            yoloq("export", "--weights", run / "last.ckpt", "--dynamic", "--out", file)
            trained = evaluate("--weights", run / "last.ckpt", "--backend", "torch")
            openvino = evaluate("--model", file)
            literal = json.loads(subprocess.run(
                [sys.executable, HERE / "ort_ap.py", file, "--images", work / "data/images/val",
                 "--img", str(SIDE)], check=True, capture_output=True, text=True).stdout)
            rows.append({"target": target, "seed": seed, "images": arguments.images,
                         "layers_int8": openvino["layers_int8"], "trained": trained["AP"],
                         "openvino": openvino["AP"] - trained["AP"],
                         "onnxruntime": literal["AP"] - trained["AP"]})
            print(json.dumps(rows[-1]), file=sys.stderr)
    print(json.dumps({"versions": {"openvino": openvino["engine"], "onnxruntime": literal["onnxruntime"]},
                      "rows": rows}, indent=1))


if __name__ == "__main__":
    main()
