// SPDX-License-Identifier: Apache-2.0
#include "runtime/tensorrt/detail/shape_limits.h"

#include <algorithm>

#include "core/error.h"
#include "runtime/tensorrt/detail/dims.h"

namespace yoloq::runtime::tensorrt {

ShapeLimits ShapeLimits::of(const nvinfer1::ICudaEngine& plan, const PortInfo& input) {
  if (graph::fixed_shape(input.dims)) return {};
  using Selector = nvinfer1::OptProfileSelector;
  const auto shape = [&](Selector selector) {
    return shape_of(plan.getProfileShape(input.name.c_str(), 0, selector));
  };
  return {shape(Selector::kMIN), shape(Selector::kOPT), shape(Selector::kMAX)};
}

Shape ShapeLimits::settle(const PortInfo& port, const Shape& wanted) const {
  const auto fixed = graph::fixed_shape(port.dims);
  if (wanted.empty() && fixed) return *fixed;
  bool fits = wanted.size() == port.dims.size();
  for (std::size_t i = 0; fits && i < wanted.size(); ++i) {
    fits = wanted[i] > 0 && (!port.dims[i].known() || port.dims[i].size == wanted[i]);
  }
  if (!fits) {
    fail(ErrorCode::bad_argument, "the input '{}' cannot be of shape {}", port.name,
         to_string(wanted));
  }
  if (fixed) return wanted;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i] >= least[i] && (i == 0 || wanted[i] <= most[i])) continue;
    fail(ErrorCode::bad_argument,
         "the engine was built for shapes from {} to {} of '{}', not {}: build it with other "
         "--min-shape and --max-shape",
         to_string(least), to_string(most), port.name, to_string(wanted));
  }
  return wanted;
}

std::int64_t ShapeLimits::piece(std::int64_t rest) const {
  if (most.empty() || rest <= most.front()) return rest;
  return std::min(most.front(), rest - least.front());
}

}  // namespace yoloq::runtime::tensorrt
