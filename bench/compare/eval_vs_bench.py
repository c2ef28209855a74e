# SPDX-License-Identifier: Apache-2.0
"""Which part of the images/s that `bench` measures does `eval` reach?

    python bench/compare/eval_vs_bench.py --yoloq yoloq --data coco.yaml --model fp32.onnx \
        --model int8.onnx

Prints JSON. Runs of both take turns. Beside the ratio by the clock stands one by processor time, which
other processes on the machine disturb less: images/s that bench gets out of a processor second, and
those that eval gets, its start and the compilation of the model left out by the difference of two
evaluations, of all images and of a few.
"""

import argparse
import json
import tempfile
from pathlib import Path

import measured

FEW = 20


def subset(data, folder):
    """A data set of the first few validation images of `data`, which has `path` and a list."""
    lines = Path(data).read_text().splitlines()
    fields = dict(line.split(":", 1) for line in lines if ":" in line and line[0].isalpha())
    root = Path(data).resolve().parent / fields.get("path", ".").strip()
    images = (root / fields["val"].strip()).read_text().split()[:FEW]
    (folder / "few.txt").write_text("\n".join(str((root / each).resolve()) for each in images))
    kept = [line for line in lines if not line.startswith(("path:", "train:", "val:"))]
    kept = [
        f"annotations: {root / line.split(':', 1)[1].strip()}"
        if line.startswith("annotations:")
        else line
        for line in kept
    ]
    data = folder / "few.yaml"
    data.write_text("\n".join([f"path: {folder}", "train: few.txt", "val: few.txt", *kept]))
    return data, len(images)


def one_round(arguments, model, folder, few):
    out = folder / "result.json"
    evaluate = [arguments.yoloq, "eval", "--model", model, "--latency-seconds", "0"]
    bench = [arguments.yoloq, "bench", "--model", model, "--seconds", arguments.seconds]
    result, cost = measured.run_for_json([*evaluate, "--data", arguments.data], out)
    _, start = measured.run_for_json([*evaluate, "--data", few[0]], out)
    engine, _ = measured.run_for_json(bench, out)
    per_cpu = (result["images"] - few[1]) / (cost["cpu_seconds"] - start["cpu_seconds"])
    best = max(each["images_per_cpu_second"] for each in engine["sweep"])
    return {
        "eval": result["images_per_second"],
        "bench": engine["throughput"],
        "ratio": result["images_per_second"] / engine["throughput"],
        "cpu_ratio": per_cpu / best,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--yoloq", required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--model", action="append", required=True)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4.0)
    arguments = parser.parse_args()
    rounds = {model: [] for model in arguments.model}
    with tempfile.TemporaryDirectory() as name:
        few = subset(arguments.data, Path(name))
        for _ in range(arguments.rounds):
            for model in arguments.model:
                rounds[model].append(one_round(arguments, model, Path(name), few))
    result = {
        Path(model).stem: {key: measured.median(each, key) for key in each[0]} | {"rounds": each}
        for model, each in rounds.items()
    }
    print(json.dumps({**result, **measured.load()}, indent=2))


if __name__ == "__main__":
    main()
