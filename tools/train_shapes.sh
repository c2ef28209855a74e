#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes models/yolov5p-shapes.ckpt: draws a data set and trains a small detector on it from nothing.
# Argument: a folder to work in (runs/shapes).
set -euo pipefail
cd "$(dirname "$0")/.."
yoloq=build/release/src/cli/yoloq
out=${1:-runs/shapes}

set -x
$yoloq dataset shapes --out "$out/data" --images 3000 --val 300 --img 160 --classes 4 \
  --smallest 32 --visible 0.6 --force
time $yoloq train --cfg yolov5p.yaml --data "$out/data/data.yaml" --hyp models/hyp.shapes.yaml --img 160 \
  --epochs 24 --batch-size 16 --nominal-batch 16 --optimizer adamw --evaluate-every 8 --out "$out/train" --exist-ok
$yoloq export --weights "$out/train/last.ckpt" --out models/yolov5p-shapes.ckpt
$yoloq eval --weights models/yolov5p-shapes.ckpt --data "$out/data/data.yaml" --img 160
