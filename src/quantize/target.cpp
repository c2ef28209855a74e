// SPDX-License-Identifier: Apache-2.0
#include "quantize/target.h"

#include <fmt/format.h>

#include <string>

#include "core/error.h"

namespace yoloq::quantize {

namespace {

constexpr Target kTargets[] = {
    {"tensorrt", DType::i8, Placement::conv_inputs, Residual::one,
     "int8 symmetric activations at convolution and residual inputs; runs everywhere"},
    {"openvino", DType::u8, Placement::raised, Residual::both,
     "uint8 asymmetric activations, placed for OpenVINO's fusions; best on CPUs"},
    {"onnxruntime", DType::u8, Placement::every_op, Residual::one,
     "uint8 asymmetric activations around every operator; what its CPU provider fuses"},
};

}  // namespace

std::span<const Target> targets() { return kTargets; }

const Target& target_named(std::string_view name) {
  std::string known;
  for (const Target& target : kTargets) {
    if (target.name == name) return target;
    known += (known.empty() ? "" : ", ") + std::string(target.name);
  }
  fail(ErrorCode::bad_argument, "no target '{}'; known: {}", name, known);
}

}  // namespace yoloq::quantize
