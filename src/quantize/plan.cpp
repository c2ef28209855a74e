// SPDX-License-Identifier: Apache-2.0
#include "quantize/plan.h"

#include <algorithm>
#include <string>
#include <utility>

#include "core/error.h"

namespace yoloq::quantize {

namespace {

constexpr std::pair<std::string_view, Precision> kPrecisions[] = {
    {"fp32", Precision::fp32}, {"fp16", Precision::fp16}, {"int8", Precision::int8}};

}  // namespace

Precision precision_named(std::string_view name) {
  for (const auto& [known, precision] : kPrecisions) {
    if (known == name) return precision;
  }
  fail(ErrorCode::bad_argument, "no precision '{}'; known: fp32, fp16, int8", name);
}

Precision float_type_named(std::string_view name) {
  if (name == "fp32") return Precision::fp32;
  if (name == "fp16") return Precision::fp16;
  fail(ErrorCode::bad_argument, "no float type '{}'; known: fp32, fp16", name);
}

std::string_view name_of(Precision precision) {
  return std::ranges::find(kPrecisions, precision, &std::pair<std::string_view, Precision>::second)
      ->first;
}

int Plan::int8_layers() const {
  return static_cast<int>(std::ranges::count_if(layers, [&](const LayerPlan& layer) {
    const auto weight = std::ranges::find(weights, layer.name, &WeightPlan::layer);
    return layer.precision == Precision::int8 && weight != weights.end() && weight->on;
  }));
}

}  // namespace yoloq::quantize
