# SPDX-License-Identifier: Apache-2.0
"""How much faster than float does a quantized file run, and how does it stand beside others' files?

    python bench/compare/int8_speed.py --yoloq yoloq --fp32 fp32.onnx --int8 int8.onnx \
        --other nncf.onnx

Prints JSON: for each int8 file its speed relative to fp32, and that of ours relative to the others',
by the clock and by processor time; one thread, runs of both files in turn within one process. Beside
each ratio stands how many layers of the two really ran in int8: on CPUs without VNNI that can be none.
"""

import argparse
import json
import tempfile
from pathlib import Path

import measured


def compared(arguments, first, second, out):
    command = [arguments.yoloq, "bench", "--threads", "1", "--seconds", "0.5"]
    command += ["--rounds", arguments.rounds, "--model", first, "--model", second]
    result, _ = measured.run_for_json(command, out)
    comparison = result["comparisons"][0]
    models = result["models"]
    return {
        "ratio": comparison["ratio"],
        "cpu_ratio": comparison["cpu_ratio"],
        "layers_int8": [f"{each['layers_int8']} / {each['layers_total']}" for each in models],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--yoloq", required=True)
    parser.add_argument("--fp32", required=True)
    parser.add_argument("--int8", required=True)
    parser.add_argument("--other", action="append", default=[], help="int8 file of another tool")
    parser.add_argument("--rounds", type=int, default=20)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        out = Path(name) / "result.json"
        over_float = {
            Path(model).stem: compared(arguments, arguments.fp32, model, out)
            for model in [arguments.int8, *arguments.other]
        }
        over_others = {
            Path(model).stem: compared(arguments, model, arguments.int8, out)
            for model in arguments.other
        }
    result = {"over_fp32": over_float, "over_others": over_others}
    print(json.dumps({**result, **measured.load()}, indent=2))


if __name__ == "__main__":
    main()
