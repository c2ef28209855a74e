# SPDX-License-Identifier: Apache-2.0
"""Does the memory of calibration grow with the number of images?

    python bench/compare/calibration_memory.py --yoloq yoloq --weights yolov5n.pt --data coco.yaml

Prints JSON: the peak resident memory of `yoloq quantize` (no tuning) in MB by number of images.
"""

import argparse
import json
import tempfile
from pathlib import Path

import measured


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--yoloq", required=True)
    parser.add_argument("--weights", required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--images", type=int, nargs="+", default=[32, 128, 300])
    arguments = parser.parse_args()
    command = [arguments.yoloq, "quantize", "--weights", arguments.weights, "--cache", ""]
    command += ["--data", arguments.data, "--batch-size", "1"]
    command += ["--no-tuning", "--no-bias-correction", "--no-verify"]
    peak_mb = {}
    with tempfile.TemporaryDirectory() as name:
        for count in arguments.images:
            out = ["--num-calib-batch", str(count), "--out", str(Path(name) / "int8.onnx")]
            peak_mb[count] = round(measured.run([*command, *out])["peak_mb"], 1)
    print(json.dumps({"peak_mb": peak_mb, **measured.load()}, indent=2))


if __name__ == "__main__":
    main()
