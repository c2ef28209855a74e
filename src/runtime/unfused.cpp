// SPDX-License-Identifier: Apache-2.0
#include "runtime/unfused.h"

#include <array>

namespace yoloq::runtime {

namespace {

struct Row {
  std::string_view kind;  ///< A part of LayerInfo::kind.
  std::string_view why;
};

constexpr std::array kRows{
    Row{"Reformat", "copies a tensor into another format or type: its neighbours disagree"},
    Row{"Reorder", "copies a tensor into another format or type: its neighbours disagree"},
    Row{"Quantize", "a quantizer of its own: what comes before it does not write int8 itself"},
    Row{"Scale", "a quantizer of its own: what comes before it does not write int8 itself"},
    Row{"Convert", "changes the type of a tensor in a pass of its own"},
    Row{"PointWise", "elementwise work that no convolution took over"},
    Row{"ElementWise", "elementwise work that no convolution took over"},
    Row{"Eltwise", "elementwise work that no convolution took over"},
    Row{"Subgraph", "elementwise work that no convolution took over"},
};

}  // namespace

std::string_view why_unfused(const LayerInfo& layer) {
  for (const Row& row : kRows) {
    if (layer.kind.find(row.kind) != std::string::npos) return row.why;
  }
  return {};
}

std::map<std::string, int> count_kinds(std::span<const LayerInfo> layers) {
  std::map<std::string, int> counts;
  for (const LayerInfo& layer : layers) ++counts[layer.kind.empty() ? "?" : layer.kind];
  return counts;
}

}  // namespace yoloq::runtime
