#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The main job on real data: a YOLOv5 checkpoint to a measured 8-bit model. Files go to runs/demo/.
set -euo pipefail
cd "$(dirname "$0")/.."
yoloq=build/release/src/cli/yoloq
out=runs/demo
mkdir -p "$out"

data=${YOLOQ_DATA:-../shared/data}
if [ -f "$data/weights/yolov5n.pt" ] && [ -f "$data/coco/coco.yaml" ]; then
  weights=$data/weights/yolov5n.pt
  yaml=$data/coco/coco.yaml
else
  # The addresses that Ultralytics' YOLOv5 release notes give.
  release=https://github.com/ultralytics/yolov5/releases/download
  fetch() { # address, file
    [ -s "$2" ] || { curl --fail --location --silent --show-error --max-time 600 -o "$2.part" "$1" && mv "$2.part" "$2"; }
  }
  weights=$out/yolov5n.pt
  if ! fetch "$release/v7.0/yolov5n.pt" "$weights" || ! fetch "$release/v1.0/coco128.zip" "$out/coco128.zip"; then
    cat >&2 <<TEXT
demo: neither real data nor a network. Put there by hand
  $weights           from $release/v7.0/yolov5n.pt
  $out/coco128.zip   from $release/v1.0/coco128.zip
and run make demo again; or set YOLOQ_DATA to a folder with weights/yolov5n.pt and coco/coco.yaml.
TEXT
    exit 1
  fi
  [ -d "$out/coco128" ] || unzip -q "$out/coco128.zip" -d "$out"
  # COCO128 has one split: what is calibrated on is also what is evaluated here.
  yaml=$out/coco128.yaml
  {
    echo "path: $PWD/$out/coco128"
    echo "train: images/train2017"
    echo "val: images/train2017"
    "$yoloq" inspect --weights "$weights" --names-yaml
  } > "$yaml"
fi

# A CPU without 8-bit dot products computes the default file's layers in float, and says so: there
# `--reduce-range` makes a second file, which runs in int8. TensorRT and CPUs with VNNI need none.
models=("$out/yolov5n.onnx" "$out/yolov5n-int8.onnx")
reduce=
if ! grep -qE '^flags.*\b(avx512_vnni|avx_vnni)\b' /proc/cpuinfo; then
  reduce=$out/yolov5n-int8-reduced.onnx
  models+=("$reduce")
fi
list=()
for model in "${models[@]}"; do list+=(--model "$model"); done

set -x
$yoloq export --weights "$weights" --simplify --out "$out/yolov5n.onnx"
$yoloq quantize --weights "$weights" --data "$yaml" --img 640 --calibrator mse --batch-size 8 \
  --num-calib-batch 16 --out "$out/yolov5n-int8.onnx" --json "$out/quantize.json"
if [ -n "$reduce" ]; then
  $yoloq quantize --weights "$weights" --data "$yaml" --img 640 --calibrator mse --batch-size 8 \
    --num-calib-batch 16 --reduce-range --out "$reduce" --json "$out/quantize-reduced.json"
fi
$yoloq eval "${list[@]}" --data "$yaml" --json "$out/eval.json"
$yoloq bench "${list[@]}" --seconds 2 --json "$out/bench.json"
{ set +x; } 2>/dev/null
echo "demo: files are in $out"
