// SPDX-License-Identifier: Apache-2.0
#include "dataset/detail/builtin_hyperparameters.h"

#include <array>
#include <string>
#include <vector>

#include "dataset/hyperparameters.h"

namespace yoloq::dataset {

namespace {

struct Builtin {
  std::string_view name;
  std::string_view text;
};

// Training from nothing on COCO, small models. Source: the numbers of Ultralytics' v7.0.
constexpr std::string_view kScratchLow = R"(lr0: 0.01
lrf: 0.01
momentum: 0.937
weight_decay: 0.0005
warmup_epochs: 3.0
warmup_momentum: 0.8
warmup_bias_lr: 0.1
box: 0.05
cls: 0.5
cls_pw: 1.0
obj: 1.0
obj_pw: 1.0
anchor_t: 4.0
fl_gamma: 0.0
label_smoothing: 0.0
hsv_h: 0.015
hsv_s: 0.7
hsv_v: 0.4
degrees: 0.0
translate: 0.1
scale: 0.5
shear: 0.0
perspective: 0.0
flipud: 0.0
fliplr: 0.5
mosaic: 1.0
mixup: 0.0
copy_paste: 0.0
)";

// Finetuning, found by evolution on VOC. Source: the numbers of Ultralytics' v5.0.
constexpr std::string_view kFinetune = R"(lr0: 0.0032
lrf: 0.12
momentum: 0.843
weight_decay: 0.00036
warmup_epochs: 2.0
warmup_momentum: 0.5
warmup_bias_lr: 0.05
box: 0.0296
cls: 0.243
cls_pw: 0.631
obj: 0.301
obj_pw: 0.911
anchor_t: 2.91
fl_gamma: 0.0
label_smoothing: 0.0
hsv_h: 0.0138
hsv_s: 0.664
hsv_v: 0.464
degrees: 0.373
translate: 0.245
scale: 0.898
shear: 0.602
perspective: 0.0
flipud: 0.00856
fliplr: 0.5
mosaic: 1.0
mixup: 0.243
copy_paste: 0.0
)";

// Quantization-aware training of a trained model. Source: the numbers of NVIDIA's sample.
constexpr std::string_view kQat = R"(lr0: 0.0001
lrf: 0.2
momentum: 0.937
weight_decay: 0.0005
warmup_epochs: 0
warmup_momentum: 0.8
warmup_bias_lr: 0.1
box: 0.05
cls: 0.5
cls_pw: 1.0
obj: 1.0
obj_pw: 1.0
anchor_t: 4.0
fl_gamma: 0.0
label_smoothing: 0.0
hsv_h: 0.015
hsv_s: 0.7
hsv_v: 0.4
degrees: 0.0
translate: 0.1
scale: 0.5
shear: 0.0
perspective: 0.0
flipud: 0.0
fliplr: 0.5
mosaic: 1.0
mixup: 0.0
copy_paste: 0.0
)";

constexpr std::array<Builtin, 4> kBuiltins{{
    {"hyp.scratch.yaml", kScratchLow},
    {"hyp.scratch-low.yaml", kScratchLow},
    {"hyp.finetune.yaml", kFinetune},
    {"hyp.qat.yaml", kQat},
}};

}  // namespace

std::optional<std::string_view> detail::builtin_hyperparameters_text(std::string_view name) {
  for (const Builtin& builtin : kBuiltins) {
    if (builtin.name == name) return builtin.text;
  }
  return std::nullopt;
}

std::vector<std::string> builtin_hyperparameters() {
  std::vector<std::string> names;
  for (const Builtin& builtin : kBuiltins) names.emplace_back(builtin.name);
  return names;
}

}  // namespace yoloq::dataset
