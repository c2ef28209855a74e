// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <limits>

#include "graph/detail/arguments.h"
#include "graph/detail/arrays.h"
#include "graph/detail/kernels.h"

namespace yoloq::graph::detail {

namespace {

/// Scale and zero point per channel, and which channel an element belongs to.
struct Grid {
  std::vector<float> scales;
  std::vector<std::int64_t> zero_points;
  DType codes = DType::u8;
  std::size_t inner = 1;  ///< Elements of one channel that lie together.

  std::size_t channel(std::size_t element) const { return element / inner % scales.size(); }
};

Grid grid_of(const Call& call, const Tensor& x) {
  if (call.node.integer("block_size", 0) != 0) not_covered(call.node, "block_size");
  Grid grid;
  const Tensor& scale = input(call, 1);
  grid.scales = scale.to_floats();
  grid.zero_points.assign(grid.scales.size(), 0);
  if (const Tensor* zero = optional_input(call, 2)) {
    grid.codes = zero->dtype();
    grid.zero_points = zero->to_integers();
  }
  if (grid.scales.empty() || grid.zero_points.size() != grid.scales.size()) {
    contradict(call.node, "scale and zero point differ in length");
  }
  if (grid.scales.size() == 1) {
    grid.inner = std::max<std::size_t>(x.size(), 1);
    return grid;
  }
  const std::size_t axis = axis_of(call.node, call.node.integer("axis", 1), x.shape().size());
  if (static_cast<std::size_t>(x.shape()[axis]) != grid.scales.size()) {
    contradict(call.node,
               "its scales are not as many as the channels of axis " + std::to_string(axis));
  }
  grid.inner = static_cast<std::size_t>(strides_of(x.shape())[axis]);
  return grid;
}

/// round(x / scale) to even at ties, moved by the zero point and saturated.
template <typename Code>
Tensor quantized(const Tensor& x, const Grid& grid) {
  const std::vector<float> values = x.to_floats();
  std::vector<Code> codes;
  codes.reserve(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::size_t c = grid.channel(i);
    const double code =
        std::nearbyint(values[i] / grid.scales[c]) + static_cast<double>(grid.zero_points[c]);
    constexpr double kLow = std::numeric_limits<Code>::min();
    constexpr double kHigh = std::numeric_limits<Code>::max();
    codes.push_back(static_cast<Code>(std::isnan(code) ? 0 : std::clamp(code, kLow, kHigh)));
  }
  return tensor_of<Code>(x.shape(), codes);
}

}  // namespace

Tensors quantize_linear(const Call& call) {
  const Tensor& x = input(call, 0);
  Grid grid = grid_of(call, x);
  const auto named = static_cast<DType>(call.node.integer("output_dtype", 0));
  if (named != DType::undefined) grid.codes = named;
  switch (grid.codes) {
    case DType::i8:
      return {quantized<std::int8_t>(x, grid)};
    case DType::u8:
      return {quantized<std::uint8_t>(x, grid)};
    case DType::i16:
      return {quantized<std::int16_t>(x, grid)};
    case DType::u16:
      return {quantized<std::uint16_t>(x, grid)};
    default:
      not_covered(call.node,
                  "codes of type " + std::string(name_of(grid.codes)) + " have no kernel");
  }
}

Tensors dequantize_linear(const Call& call) {
  const Tensor& x = input(call, 0);
  const Grid grid = grid_of(call, x);
  const auto codes = x.to_integers();
  std::vector<float> values;
  values.reserve(codes.size());
  for (std::size_t i = 0; i < codes.size(); ++i) {
    const std::size_t c = grid.channel(i);
    values.push_back(static_cast<float>(codes[i] - grid.zero_points[c]) * grid.scales[c]);
  }
  return {tensor_of<float>(x.shape(), values)};
}

}  // namespace yoloq::graph::detail
