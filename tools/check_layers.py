#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fails if a folder of src/ includes from a folder that is not below it.

The layers, lowest first; folders of one row do not see each other. A header in a detail/ folder is
private to its module. Headers of libraries from outside stay in the modules named here.
"""

import pathlib
import re
import sys

LAYERS = [
    ["core"],
    ["graph"],
    ["model"],
    ["onnx", "checkpoint", "transform", "calibrate"],
    ["quantize"],
    ["vision"],
    ["dataset"],
    ["detect"],
    ["coco"],
    ["runtime"],
    ["pipeline"],
    ["sensitivity"],
    ["search"],
    ["train"],
    ["report"],
    ["cli"],
]
TORCH = r"(torch/|ATen/|c10/)"  # Headers of runtime/torch/ may show it: training is written in it.
FOREIGN = {
    r"opencv2/": {"vision"},
    r"openvino/": {"runtime"},
    r"(NvInfer|NvOnnx|cuda_)": {"runtime"},
    r"(google/protobuf|onnx/onnx)": {"onnx"},
    r"zip\.h": {"checkpoint"},
    r"simdjson": {"coco", "runtime", "model"},
    r"yaml-cpp/": {"dataset", "model", "quantize"},
    r"CLI/": {"cli"},
    r"Eigen/": {"quantize"},
    TORCH: {"runtime", "train"},
}
INCLUDE = re.compile(r'^\s*#\s*include\s+["<]([^">]+)[">]')


def main() -> int:
    source = pathlib.Path(__file__).resolve().parent.parent / "src"
    level = {name: i for i, row in enumerate(LAYERS) for name in row}
    faults = []
    files = sorted(p for p in source.rglob("*") if p.suffix in {".h", ".cpp"})
    for path in files:
        module = path.relative_to(source).parts[0]
        if module not in level:
            faults.append(f"{path}: folder '{module}' is in no layer")
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            target = match.group(1)
            other = target.split("/")[0]
            where = f"{path.relative_to(source.parent)}:{number}"
            if other in level and "/" in target and other != module:
                if level[other] >= level[module]:
                    faults.append(f"{where}: '{module}' may not include '{target}'")
                if target.startswith("runtime/torch/") and module != "train":
                    faults.append(f"{where}: '{target}' shows LibTorch, which only 'train' may see")
                if "/detail/" in target:
                    faults.append(f"{where}: '{target}' is private to '{other}'")
            for pattern, owners in FOREIGN.items():
                if re.match(pattern, target) and (
                    module not in owners
                    or (path.suffix == ".h" and "detail" not in path.parts
                        and not (pattern == TORCH and "runtime/torch" in path.as_posix()))
                ):
                    faults.append(f"{where}: '{target}' belongs in sources of {sorted(owners)}")
    for fault in faults:
        print(fault, file=sys.stderr)
    print(f"layers: {len(files)} files, {len(faults)} faults")
    return 1 if faults or not files else 0


if __name__ == "__main__":
    sys.exit(main())
