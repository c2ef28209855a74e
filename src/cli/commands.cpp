// SPDX-License-Identifier: Apache-2.0
#include "cli/command.h"

namespace yoloq::cli {

namespace {

const Command kCommands[] = {
    {"export", "Write a checkpoint as ONNX, or simplify an ONNX file",
     "yoloq export --weights yolov5n.pt --img 640 --out yolov5n.onnx", declare_export},
    {"quantize", "Calibrate on images and write an 8-bit Q/DQ ONNX file",
     "yoloq quantize --weights yolov5n.pt --data coco.yaml --out yolov5n-int8.onnx",
     declare_quantize},
    {"build", "Compile a model for this machine into a file that loads at once",
     "yoloq build --model yolov5n-int8.onnx --out yolov5n-int8.engine", declare_build},
    {"eval", "Measure COCO accuracy, latency and throughput",
     "yoloq eval --weights yolov5n.pt --model yolov5n-int8.onnx --data coco.yaml", declare_eval},
    {"detect", "Find objects in images and draw them",
     "yoloq detect --model yolov5n-int8.onnx --source images/ --out runs/detect", declare_detect},
    {"inspect",
     "Show a model's layers and what keeps one from int8; check data and hyper-parameters",
     "yoloq inspect --model yolov5n-int8.onnx --quantization", declare_inspect},
    {"bench", "Measure latency and throughput, two models side by side",
     "yoloq bench --model yolov5n.onnx --model yolov5n-int8.onnx", declare_bench},
    {"sensitivity", "Say what quantizing each layer costs, most sensitive first",
     "yoloq sensitivity --weights yolov5n.pt --data coco.yaml --method fast --out sens.json",
     declare_sensitivity},
    {"search", "Find the best 8-bit models within a time budget: accuracy against speed",
     "yoloq search --weights yolov5n.pt --data coco.yaml --max-drop 0.2 --time 10m --out "
     "runs/search",
     declare_search},
    {"train", "Train a YOLOv5 from scratch or from a checkpoint",
     "yoloq train --cfg yolov5n.yaml --data my.yaml --hyp hyp.scratch.yaml --epochs 100",
     declare_train},
    {"qat", "Train a model while it is quantized, to win back what 8 bits cost",
     "yoloq qat --weights yolov5n.pt --data coco.yaml --epochs 20 --skip-layers auto:4 --out "
     "runs/qat",
     declare_qat},
    {"dataset", "Make a data set to try things on: shapes of a few classes",
     "yoloq dataset shapes --out shapes --images 2000 --val 300 --img 320", declare_dataset},
    {"report", "Put what other commands wrote into a folder on one page, with plots",
     "yoloq report --html report.html runs/yolov5n", declare_report},
};

}  // namespace

std::span<const Command> commands() { return kCommands; }

}  // namespace yoloq::cli
