// SPDX-License-Identifier: Apache-2.0
#include "dataset/detail/hyperparameter_keys.h"

#include <array>

namespace yoloq::dataset::detail {

namespace {

using H = Hyperparameters;

// Where mathematics sets no limit, one is set far beyond what anybody trains with: 50 for 0.5.
constexpr std::array<HyperparameterKey, 29> kKeys{{
    {"lr0", &H::lr0, 0, 10},
    {"lrf", &H::lrf, 0, 10},
    {"momentum", &H::momentum, 0, 0.9999},
    {"weight_decay", &H::weight_decay, 0, 1},
    {"warmup_epochs", &H::warmup_epochs, 0, 1000},
    {"warmup_momentum", &H::warmup_momentum, 0, 0.9999},
    {"warmup_bias_lr", &H::warmup_bias_lr, 0, 10},
    {"box", &H::box, 0, 1000},
    {"cls", &H::cls, 0, 1000},
    {"cls_pw", &H::cls_pw, 0, 1000},
    {"obj", &H::obj, 0, 1000},
    {"obj_pw", &H::obj_pw, 0, 1000},
    {"iou_t", &H::iou_t, 0, 1},
    {"anchor_t", &H::anchor_t, 1, 1000, true},  // Sides differ by less than it: by 1, none do.
    {"fl_gamma", &H::fl_gamma, 0, 10},
    {"label_smoothing", &H::label_smoothing, 0, 0.999},
    {"hsv_h", &H::hsv_h, 0, 1},
    {"hsv_s", &H::hsv_s, 0, 1},
    {"hsv_v", &H::hsv_v, 0, 1},
    {"degrees", &H::degrees, 0, 180},
    {"translate", &H::translate, 0, 1},
    {"scale", &H::scale, 0, 0.999},
    {"shear", &H::shear, 0, 80},
    {"perspective", &H::perspective, 0, 0.001},
    {"flipud", &H::flipud, 0, 1},
    {"fliplr", &H::fliplr, 0, 1},
    {"mosaic", &H::mosaic, 0, 1},
    {"mixup", &H::mixup, 0, 1},
    {"copy_paste", &H::copy_paste, 0, 1},
}};

}  // namespace

std::span<const HyperparameterKey> hyperparameter_keys() { return kKeys; }

}  // namespace yoloq::dataset::detail
