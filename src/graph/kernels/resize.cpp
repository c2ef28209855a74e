// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "graph/detail/arguments.h"
#include "graph/detail/arrays.h"
#include "graph/detail/kernels.h"
#include "graph/detail/resizing.h"

namespace yoloq::graph::detail {

namespace {

/// How an output position finds its input position; Resize 10 and Upsample know one way only.
struct Sampling {
  std::string coordinates;
  std::string rounding;
};

Sampling sampling_of(const Call& call) {
  const bool first_version = call.node.op == "Upsample" || call.opset < 11;
  if (first_version) return {"asymmetric", "floor"};
  return {call.node.text("coordinate_transformation_mode", "half_pixel"),
          call.node.text("nearest_mode", "round_prefer_floor")};
}

/// One axis: sizes before and after, and their ratio.
struct ResizedAxis {
  std::int64_t from = 0;
  std::int64_t to = 0;
  float scale = 1.0f;
};

float source_position(const Call& call, const std::string& mode, const ResizedAxis& axis,
                      std::int64_t at) {
  const auto x = static_cast<float>(at);
  if (axis.scale == 1.0f) return x;
  if (mode == "asymmetric") return x / axis.scale;
  if (mode == "half_pixel") return (x + 0.5f) / axis.scale - 0.5f;
  if (mode == "pytorch_half_pixel") return axis.to > 1 ? (x + 0.5f) / axis.scale - 0.5f : 0.0f;
  if (mode == "align_corners") {
    if (axis.to == 1) return 0.0f;
    return x * static_cast<float>(axis.from - 1) / static_cast<float>(axis.to - 1);
  }
  not_covered(call.node, "coordinate_transformation_mode '" + mode + "' has no kernel");
}

float nearest(const Call& call, const std::string& mode, float position) {
  if (mode == "floor") return std::floor(position);
  if (mode == "ceil") return std::ceil(position);
  if (mode == "round_prefer_floor") return std::ceil(position - 0.5f);
  if (mode == "round_prefer_ceil") return std::floor(position + 0.5f);
  not_covered(call.node, "nearest_mode '" + mode + "' has no kernel");
}

AxisIndices nearest_indices(const Call& call, const ResizedAxis& axis) {
  const Sampling sampling = sampling_of(call);
  AxisIndices indices;
  for (std::int64_t i = 0; i < axis.to; ++i) {
    const float position = source_position(call, sampling.coordinates, axis, i);
    const auto index = static_cast<std::int64_t>(nearest(call, sampling.rounding, position));
    indices.push_back(std::clamp<std::int64_t>(index, 0, axis.from - 1));
  }
  return indices;
}

}  // namespace

std::int64_t scaled_size(std::int64_t size, float scale) {
  const double result = std::floor(static_cast<double>(static_cast<float>(size) * scale));
  if (!(result >= 0 && result < 1e9)) {
    fail(ErrorCode::corrupt_file, "a scale of {} cannot be applied to {} elements", scale, size);
  }
  return static_cast<std::int64_t>(result);
}

std::size_t scales_input(const Node& node, std::int64_t opset) {
  return node.op == "Upsample" || opset < 11 ? 1 : 2;
}

std::size_t sizes_input(const Node& node, std::int64_t opset) {
  return node.op == "Upsample" || opset < 11 ? 0 : 3;
}

std::vector<float> scales_attribute(const Node& node) {
  const auto found = node.attributes.find("scales");
  if (found == node.attributes.end()) return {};
  if (const auto* reals = std::get_if<std::vector<float>>(&found->second)) return *reals;
  contradict(node, "its scales are no list of floats");
}

Resizing resizing_of(const Call& call) {
  Resizing result{.scales = scales_attribute(call.node)};
  if (!result.scales.empty()) return result;
  const Tensor* scales = optional_input(call, scales_input(call.node, call.opset));
  if (scales != nullptr && scales->size() > 0) {
    result.scales = scales->to_floats();
    return result;
  }
  const std::size_t index = sizes_input(call.node, call.opset);
  if (index > 0) result.sizes = input(call, index).to_integers();
  return result;
}

Tensors resize(const Call& call) {
  const Tensor& x = input(call, 0);
  if (call.node.text("mode", "nearest") != "nearest") {
    not_covered(call.node, "only mode 'nearest' has a kernel");
  }
  if (call.node.attributes.contains("axes") ||
      call.node.text("keep_aspect_ratio_policy", "stretch") != "stretch") {
    not_covered(call.node, "axes and keep_aspect_ratio_policy have no kernel");
  }
  const Resizing given = resizing_of(call);
  const std::size_t rank = x.shape().size();
  if (std::max(given.scales.size(), given.sizes.size()) != rank) {
    contradict(call.node, "one scale or size per axis is expected");
  }
  std::vector<AxisIndices> indices;
  for (std::size_t d = 0; d < rank; ++d) {
    ResizedAxis axis{.from = x.shape()[d]};
    axis.scale = given.sizes.empty()
                     ? given.scales[d]
                     : static_cast<float>(given.sizes[d]) / static_cast<float>(axis.from);
    axis.to = given.sizes.empty() ? scaled_size(axis.from, axis.scale) : given.sizes[d];
    if (axis.from == 0 && axis.to > 0) contradict(call.node, "an empty axis cannot grow");
    indices.push_back(nearest_indices(call, axis));
  }
  return {selected(x, indices)};
}

}  // namespace yoloq::graph::detail
