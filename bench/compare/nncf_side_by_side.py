# SPDX-License-Identifier: Apache-2.0
"""Is yoloq's INT8 file slower than NNCF's in OpenVINO, and where does the time go?

    python bench/compare/nncf_side_by_side.py --yoloq build/release/src/cli/yoloq \
        --weights yolov5n.pt --data coco.yaml --list train2017.txt --python nncf-venv/bin/python

Quantizes one checkpoint with yoloq (each of --target) and with NNCF's default preset, on the same first
images of the list, runs each of our files in turn with NNCF's on one thread, and prints JSON: our speed
relative to NNCF's (above 1: ours is faster) by processor time and by the clock, in each round, and what
OpenVINO executes of each file: how many primitives of which kind and precision, and their milliseconds.

On a CPU without an 8-bit dot product both tools are asked for weights of 7 bits (--reduce-range,
overflow_fix), as layers with 8-bit weights run in float there. The Python of --python needs nncf, onnx
and opencv. NNCF's file, once there, can be given with --nncf instead.
"""

import argparse
import collections
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import measured
import ptq


def quantize_with_nncf(arguments):
    """In the other Python: writes NNCF's file."""
    import nncf
    import onnx
    from nncf.quantization.advanced_parameters import AdvancedQuantizationParameters, OverflowFix

    images = [ptq.letterboxed(path, arguments.side) for path in listed(arguments)]
    model = onnx.load(arguments.model)
    name = model.graph.input[0].name
    advanced = None
    if arguments.reduce_range:
        advanced = AdvancedQuantizationParameters(overflow_fix=OverflowFix.ENABLE)
    dataset = nncf.Dataset(images, lambda image: {name: image})
    quantized = nncf.quantize(
        model, dataset, subset_size=len(images), advanced_parameters=advanced
    )
    onnx.save(quantized, arguments.out)


def listed(arguments):
    return ptq.listed(arguments.list, arguments.images)


def make_nncf(arguments, folder):
    fp32 = folder / "fp32.onnx"
    export = [arguments.yoloq, "export", "--weights", arguments.weights, "--out", fp32]
    measured.run([*map(str, export), "--img", str(arguments.side)])
    command = [arguments.python, __file__, "--model", fp32, "--out", folder / "nncf.onnx"]
    command += ["--list", arguments.list, "--images", arguments.images, "--side", arguments.side]
    command += ["--reduce-range"] if arguments.reduce_range else []
    done = subprocess.run([*map(str, command)], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"NNCF failed:\n{done.stderr[-3000:]}")
    return folder / "nncf.onnx"


def make_ours(arguments, target, folder):
    out = folder / f"{target}.onnx"
    command = [arguments.yoloq, "quantize", "--weights", arguments.weights, "--target", target]
    command += ["--data", arguments.data, "--img", arguments.side, "--out", out]
    command += ["--reduce-range"] if arguments.reduce_range else []
    measured.run([*map(str, command)])
    return out


def executed(arguments, model, folder):
    """Primitives by kind and precision: their number, and their milliseconds in sum."""
    command = [arguments.yoloq, "inspect", "--model", model, "--executed", "--profile"]
    result, _ = measured.run_for_json([*command, "--threads", 1], folder / "inspect.json")
    rows = collections.defaultdict(lambda: {"count": 0, "ms": 0.0})
    for layer in result["executed"]:
        row = rows[f"{layer['kind']} {layer['precision']}"]
        row["count"] += 1
        row["ms"] = round(row["ms"] + layer.get("ms", 0.0), 4)
    return dict(sorted(rows.items()))


def in_turn(arguments, model, nncf, folder):
    """Several short comparisons in processes of their own: one placement of memory decides nothing."""
    command = [arguments.yoloq, "bench", "--threads", 1, "--seconds", arguments.seconds]
    command += ["--rounds", arguments.rounds, "--model", nncf, "--model", model]
    rounds = []
    for _ in range(arguments.processes):
        result, _ = measured.run_for_json(command, folder / "bench.json")
        rounds.append(result["comparisons"][0])
        layers = [f"{each['layers_int8']} / {each['layers_total']}" for each in result["models"]]
    return {
        "cpu_ratio": statistics.median(each["cpu_ratio"] for each in rounds),
        "ratio": statistics.median(each["ratio"] for each in rounds),
        "cpu_ratios": [each["cpu_ratio"] for each in rounds],
        "layers_int8": {"nncf": layers[0], "yoloq": layers[1]},
    }


def compare(arguments):
    has_dot_product = {"avx512_vnni", "avx_vnni"} & set(measured.cpu()["instructions"])
    arguments.reduce_range = not has_dot_product
    result = {"reduce_range": arguments.reduce_range, "speed": {}, "executed": {}}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(arguments.keep or name)
        nncf = Path(arguments.nncf) if arguments.nncf else make_nncf(arguments, folder)
        result["executed"]["nncf"] = executed(arguments, nncf, folder)
        for target in arguments.target:
            ours = make_ours(arguments, target, folder)
            result["speed"][target] = in_turn(arguments, ours, nncf, folder)
            result["executed"][target] = executed(arguments, ours, folder)
    print(json.dumps({**result, **measured.load()}, indent=2))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--yoloq")
    parser.add_argument("--weights")
    parser.add_argument("--data", help="data set yaml")
    parser.add_argument("--list", help="image list file, for NNCF")
    parser.add_argument("--python", default=sys.executable, help="that imports nncf")
    parser.add_argument("--nncf", help="NNCF's file, if it is there already")
    parser.add_argument("--target", nargs="+", default=["tensorrt", "openvino"])
    parser.add_argument("--images", type=int, default=128)
    parser.add_argument("--side", type=int, default=640)
    parser.add_argument("--processes", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=0.2, help="of each turn")
    parser.add_argument("--keep", help="existing folder to leave the files in")
    parser.add_argument("--model", help=argparse.SUPPRESS)
    parser.add_argument("--out", help=argparse.SUPPRESS)
    parser.add_argument("--reduce-range", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    quantize_with_nncf(arguments) if arguments.out else compare(arguments)


if __name__ == "__main__":
    main()
