// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "graph/detail/arguments.h"
#include "graph/detail/arrays.h"
#include "graph/detail/kernels.h"
#include "graph/detail/window.h"

namespace yoloq::graph::detail {

namespace {

/// One image axis of a convolution with everything resolved; a missing height is one row.
struct Axis {
  WindowAxis window;
  std::int64_t size = 1;       ///< Of the input.
  std::int64_t positions = 1;  ///< Of the output.
  std::int64_t before = 0;     ///< Padding.

  /// The input index under tap `tap` at output position `position`; may lie outside.
  std::int64_t at(std::int64_t position, std::int64_t tap) const {
    return position * window.stride - before + tap * window.dilation;
  }
};

struct Convolution {
  Axis rows;
  Axis columns;
  std::int64_t images = 0;
  std::int64_t channels_in = 0;   ///< Per group.
  std::int64_t channels_out = 0;  ///< Of all groups.
  std::int64_t groups = 1;
};

Convolution resolve(const Call& call, const Tensor& x, const Tensor& weight) {
  const auto rank = x.shape().size();
  if (rank != 3 && rank != 4) not_covered(call.node, "only 1-D and 2-D images have a kernel");
  if (weight.shape().size() != rank) contradict(call.node, "weight and input differ in rank");

  Convolution conv;
  conv.images = x.shape()[0];
  conv.channels_in = weight.shape()[1];
  conv.channels_out = weight.shape()[0];
  conv.groups = call.node.integer("group", 1);
  const bool fits = conv.groups >= 1 && conv.channels_out % conv.groups == 0 &&
                    x.shape()[1] == conv.channels_in * conv.groups;
  if (!fits) {
    contradict(call.node, "input " + to_string(x.shape()) + ", weight " +
                              to_string(weight.shape()) + " and group do not fit");
  }
  const auto kernel = std::span(weight.shape()).subspan(2);
  auto axes = window_of(call.node, kernel);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    if (axes.size() != kernel.size() || axes[i].kernel != kernel[i]) {
      contradict(call.node, "kernel_shape is not the shape of its weight");
    }
    const std::int64_t size = x.shape()[2 + i];
    Axis& axis = i + 1 == axes.size() ? conv.columns : conv.rows;
    axis = {axes[i], size, axes[i].positions(size), axes[i].padding_before(size)};
  }
  return conv;
}

/// Adds one tap of one filter to a plane of outputs.
void add_tap(const Convolution& conv, const float* plane, double tap_weight, std::int64_t row_tap,
             std::int64_t column_tap, double* sums) {
  for (std::int64_t y = 0; y < conv.rows.positions; ++y) {
    const std::int64_t row = conv.rows.at(y, row_tap);
    if (row < 0 || row >= conv.rows.size) continue;
    const float* line = plane + row * conv.columns.size;
    double* out = sums + y * conv.columns.positions;
    for (std::int64_t x = 0; x < conv.columns.positions; ++x) {
      const std::int64_t column = conv.columns.at(x, column_tap);
      if (column >= 0 && column < conv.columns.size) out[x] += tap_weight * line[column];
    }
  }
}

/// One output channel of one image.
void filter(const Convolution& conv, const float* image, const float* weight, double* sums) {
  const std::int64_t plane = conv.rows.size * conv.columns.size;
  for (std::int64_t channel = 0; channel < conv.channels_in; ++channel) {
    for (std::int64_t ky = 0; ky < conv.rows.window.kernel; ++ky) {
      for (std::int64_t kx = 0; kx < conv.columns.window.kernel; ++kx) {
        add_tap(conv, image + channel * plane, *weight++, ky, kx, sums);
      }
    }
  }
}

}  // namespace

Tensors conv(const Call& call) {
  const Tensor& x = input(call, 0);
  const Tensor& weight = input(call, 1);
  const Convolution conv = resolve(call, x, weight);
  const std::int64_t plane_in = conv.rows.size * conv.columns.size;
  const std::int64_t plane_out = conv.rows.positions * conv.columns.positions;
  const std::int64_t filter_size =
      conv.channels_in * conv.rows.window.kernel * conv.columns.window.kernel;
  const Tensor* bias = optional_input(call, 2);
  if (bias != nullptr && bias->shape() != Shape{conv.channels_out}) {
    contradict(call.node, "bias has shape " + to_string(bias->shape()));
  }

  Shape shape{conv.images, conv.channels_out};
  if (x.rank() == 4) shape.push_back(conv.rows.positions);
  shape.push_back(conv.columns.positions);
  std::vector<float> result;
  result.reserve(static_cast<std::size_t>(element_count(shape)));
  std::vector<double> sums(static_cast<std::size_t>(plane_out));
  const float* images = x.values<float>().data();
  for (std::int64_t n = 0; n < conv.images; ++n) {
    for (std::int64_t o = 0; o < conv.channels_out; ++o) {
      const std::int64_t group = o / (conv.channels_out / conv.groups);
      const std::int64_t first = (n * conv.groups + group) * conv.channels_in;
      const auto b = bias ? bias->values<float>()[static_cast<std::size_t>(o)] : 0.0f;
      std::ranges::fill(sums, b);
      filter(conv, images + first * plane_in, weight.values<float>().data() + o * filter_size,
             sums.data());
      result.insert(result.end(), sums.begin(), sums.end());
    }
  }
  return {tensor_of<float>(shape, result)};
}

Tensors batch_normalization(const Call& call) {
  const Tensor& x = input(call, 0);
  if (x.rank() < 2) contradict(call.node, "its input has no channels");
  const auto channels = static_cast<std::size_t>(x.shape()[1]);
  const double epsilon = call.node.real("epsilon", 1e-5f);
  std::vector<double> scale(channels);
  std::vector<double> shift(channels);
  for (std::size_t i = 1; i < 5; ++i) {
    if (input(call, i).size() != channels) contradict(call.node, "a parameter has another length");
  }
  for (std::size_t c = 0; c < channels; ++c) {
    const auto parameter = [&](std::size_t i) -> double {
      return input(call, i).values<float>()[c];
    };
    scale[c] = parameter(1) / std::sqrt(parameter(4) + epsilon);
    shift[c] = parameter(2) - parameter(3) * scale[c];
  }
  const std::size_t plane = channels == 0 || x.size() == 0
                                ? 1
                                : x.size() / channels / static_cast<std::size_t>(x.shape()[0]);
  std::vector<float> result;
  result.reserve(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::size_t c = i / plane % channels;
    result.push_back(static_cast<float>(x.values<float>()[i] * scale[c] + shift[c]));
  }
  return {tensor_of<float>(x.shape(), result)};
}

}  // namespace yoloq::graph::detail
