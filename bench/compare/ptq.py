# SPDX-License-Identifier: Apache-2.0
"""Is post-training quantization faster than NNCF's and ONNX Runtime's, on the same images?

    python bench/compare/ptq.py --yoloq build/release/src/cli/yoloq --weights yolov5n.pt \
        --data coco.yaml --list train2017.txt --python nncf-venv/bin/python

Prints JSON. yoloq is timed as a whole process: start, checkpoint, JPEG decoding, calibration, file.
The others get images that are decoded and letterboxed already, and only their quantization is timed,
not their imports. A tool that `--python` cannot import is left out, and the output says so. That
Python needs onnx and opencv beside the tools.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import measured

TOOLS = {"nncf": "nncf, onnx, cv2", "onnxruntime": "onnxruntime.quantization, onnx, cv2"}


def letterboxed(path, side):
    import cv2
    import numpy as np

    image = cv2.imread(str(path))
    ratio = min(side / image.shape[0], side / image.shape[1])
    height, width = round(image.shape[0] * ratio), round(image.shape[1] * ratio)
    if (height, width) != image.shape[:2]:
        image = cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR)
    canvas = np.full((side, side, 3), 114, np.uint8)
    top, left = round((side - height) / 2 - 0.1), round((side - width) / 2 - 0.1)
    canvas[top : top + height, left : left + width] = image
    return np.ascontiguousarray(canvas[:, :, ::-1].transpose(2, 0, 1)[None], np.float32) / 255


def quantize_with_nncf(model, images, out):
    import nncf
    import onnx

    graph = onnx.load(model)
    name = graph.graph.input[0].name
    dataset = nncf.Dataset(images, lambda image: {name: image})
    onnx.save(nncf.quantize(graph, dataset, subset_size=len(images)), out)


def quantize_with_onnxruntime(model, images, out):
    import onnx
    from onnxruntime import quantization

    name = onnx.load(model).graph.input[0].name

    class Reader(quantization.CalibrationDataReader):
        def __init__(self):
            self.images = iter(images)

        def get_next(self):
            image = next(self.images, None)
            return None if image is None else {name: image}

    quantization.quantize_static(model, out, Reader(), per_channel=True)


def run_tool(arguments):
    """In the other Python: quantizes and prints what it cost."""
    images = [
        letterboxed(path, arguments.side) for path in listed(arguments.list, arguments.images)
    ]
    work = {"nncf": quantize_with_nncf, "onnxruntime": quantize_with_onnxruntime}[arguments.tool]
    work_start, cpu_start = time.perf_counter(), time.process_time()
    work(str(arguments.model), images, str(arguments.out))
    cost = {
        "seconds": time.perf_counter() - work_start,
        "cpu_seconds": time.process_time() - cpu_start,
    }
    print("\n" + json.dumps(cost))


def listed(path, count):
    lines = Path(path).read_text().split()[:count]
    return [Path(path).parent / line for line in lines]


def can_import(python, modules):
    return subprocess.run([python, "-c", f"import {modules}"], capture_output=True).returncode == 0


def measure_tool(tool, arguments, folder):
    command = [arguments.python, __file__, "--tool", tool, "--model", folder / "fp32.onnx"]
    command += ["--list", arguments.list, "--images", str(arguments.images)]
    command += ["--side", str(arguments.side), "--out", folder / f"{tool}.onnx"]
    done = subprocess.run([*map(str, command)], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{tool} failed:\n{done.stderr[-3000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def measure_yoloq(arguments, folder):
    # The list's first images, as the others get: as many as there are, so that none is left out.
    names = "\n".join(str(p.resolve()) for p in listed(arguments.list, arguments.images))
    (folder / "images.txt").write_text(names + "\n")
    data = folder / "data.yaml"
    text = Path(arguments.data).read_text().splitlines()
    kept = [line for line in text if not line.startswith(("path:", "train:", "val:", "annotations:"))]
    data.write_text("\n".join([f"path: {folder}", "train: images.txt", "val: images.txt", *kept]))
    command = [arguments.yoloq, "quantize", "--weights", arguments.weights, "--data", data]
    command += ["--img", str(arguments.side), "--batch-size", "1"]
    command += ["--num-calib-batch", str(arguments.images), "--cache", ""]
    command += ["--no-tuning", "--no-bias-correction", "--no-verify"]
    return measured.run([*map(str, command), "--out", str(folder / "yoloq.onnx")])


def compare(arguments):
    available = [tool for tool, modules in TOOLS.items() if can_import(arguments.python, modules)]
    result = {"images": arguments.images, "skipped": sorted(set(TOOLS) - set(available))}
    for tool in result["skipped"]:
        print(f"{tool}: not importable in {arguments.python}, left out", file=sys.stderr)
    rounds = {name: [] for name in ["yoloq", *available]}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        export = [arguments.yoloq, "export", "--weights", arguments.weights]
        export += ["--img", str(arguments.side), "--out", str(folder / "fp32.onnx")]
        measured.run(export)
        for _ in range(arguments.rounds):
            rounds["yoloq"].append(measure_yoloq(arguments, folder))
            for tool in available:
                rounds[tool].append(measure_tool(tool, arguments, folder))
        if arguments.keep:
            for tool in available:
                Path(arguments.keep, f"{tool}.onnx").write_bytes(
                    (folder / f"{tool}.onnx").read_bytes()
                )
    for key in ("seconds", "cpu_seconds"):
        result[key] = {tool: measured.median(each, key) for tool, each in rounds.items()}
        own = result[key]["yoloq"]
        result[f"{key}_ratio"] = {tool: result[key][tool] / own for tool in available}
    print(json.dumps({**result, **measured.load(), "rounds": rounds}, indent=2))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--yoloq")
    parser.add_argument("--weights")
    parser.add_argument("--data", help="data set yaml")
    parser.add_argument("--list", required=True, help="image list file")
    parser.add_argument("--images", type=int, default=128)
    parser.add_argument("--side", type=int, default=640)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--python", default=sys.executable, help="that imports the other tools")
    parser.add_argument("--keep", help="folder to put the others' files into")
    parser.add_argument("--tool", choices=TOOLS, help=argparse.SUPPRESS)
    parser.add_argument("--model", help=argparse.SUPPRESS)
    parser.add_argument("--out", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    run_tool(arguments) if arguments.tool else compare(arguments)


if __name__ == "__main__":
    main()
