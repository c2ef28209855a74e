#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The whole job, twice. Files go to runs/demo/.
#   1. Without a network: a small detector of this repository and images that are drawn, from float32
#      to 8 bits: post-training, partial, quantization-aware training.
#   2. The main job on real data: YOLOv5n and COCO images, where they are here or can be fetched.
set -euo pipefail
cd "$(dirname "$0")/.."
yoloq=build/release/src/cli/yoloq
out=runs/demo
mkdir -p "$out"

# A CPU without 8-bit dot products computes the default file's layers in float, and says so: there
# `--reduce-range` makes files that run in int8. TensorRT and CPUs with VNNI need none.
reduce=()
grep -qE '^flags.*\b(avx512_vnni|avx_vnni)\b' /proc/cpuinfo || reduce=(--reduce-range)

own=$out/shapes
small=(--weights models/yolov5p-shapes.ckpt --data "$own/data/data.yaml" --img 160)
quantized=("${small[@]}" "${reduce[@]}")
mkdir -p "$own"
set -x
$yoloq dataset shapes --out "$own/data" --images 400 --val 300 --img 160 --classes 4 --smallest 32 \
  --visible 0.6 --force
$yoloq quantize "${quantized[@]}" --out "$own/int8.onnx"
$yoloq quantize "${quantized[@]}" --skip-layers auto:4 --out "$own/partial.onnx"
if [ -x build/release/src/cli/yoloq-torch ]; then
  $yoloq qat "${quantized[@]}" --epochs 4 --evaluate-every 0 --out "$own/qat" --exist-ok
  $yoloq export --weights "$own/qat/last.ckpt" --dynamic --out "$own/qat.onnx"
fi
$yoloq export --weights models/yolov5p-shapes.ckpt --simplify --dynamic --out "$own/fp32.onnx"
{ set +x; } 2>/dev/null
list=()
for model in fp32 int8 partial qat; do
  if [ -f "$own/$model.onnx" ]; then list+=(--model "$own/$model.onnx"); fi
done
set -x
$yoloq eval "${list[@]}" --data "$own/data/data.yaml" --img 160 --json "$own/eval.json"
{ set +x; } 2>/dev/null

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
demo: the files of the drawn images are in $own. For the real ones there is neither data nor a network: put
there by hand
  $weights           from $release/v7.0/yolov5n.pt
  $out/coco128.zip   from $release/v1.0/coco128.zip
and run make demo again; or set YOLOQ_DATA to a folder with weights/yolov5n.pt and coco/coco.yaml.
TEXT
    exit 0
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

models=("$out/yolov5n.onnx" "$out/yolov5n-int8.onnx")
second=$out/yolov5n-int8-reduced.onnx
[ ${#reduce[@]} -eq 0 ] || models+=("$second")
list=()
for model in "${models[@]}"; do list+=(--model "$model"); done

set -x
$yoloq export --weights "$weights" --simplify --out "$out/yolov5n.onnx"
$yoloq quantize --weights "$weights" --data "$yaml" --img 640 --calibrator mse --batch-size 8 \
  --num-calib-batch 16 --out "$out/yolov5n-int8.onnx" --json "$out/quantize.json"
if [ ${#reduce[@]} -gt 0 ]; then
  $yoloq quantize --weights "$weights" --data "$yaml" --img 640 --calibrator mse --batch-size 8 \
    --num-calib-batch 16 "${reduce[@]}" --out "$second" --json "$out/quantize-reduced.json"
fi
$yoloq eval "${list[@]}" --data "$yaml" --json "$out/eval.json"
$yoloq bench "${list[@]}" --seconds 2 --json "$out/bench.json"
{ set +x; } 2>/dev/null
echo "demo: files are in $out"
