// SPDX-License-Identifier: Apache-2.0
#include "model/detail/blank_blocks.h"

#include <algorithm>
#include <utility>

#include "core/error.h"

namespace yoloq::model::detail {

namespace {

constexpr std::int64_t kMostElements = std::int64_t{1} << 28;  // A gigabyte; yolov5x6 has 1.4e8.
constexpr std::int64_t kLargestSide = 1 << 16;                 // Of a weight; larger is an error.
constexpr float kEpsilon = 1e-3f;                              // Ultralytics' initialize_weights.

std::int64_t hidden_channels(std::int64_t channels, double expansion) {
  return static_cast<std::int64_t>(static_cast<double>(channels) * expansion);
}

Pair half(const Pair& kernel, std::int64_t dilation) {
  const auto one = [&](std::int64_t size) { return (dilation * (size - 1) + 1) / 2; };
  return {one(kernel[0]), one(kernel[1])};
}

MaxPool2d pool_of(std::int64_t window) {
  return {.kernel_size = {window, window}, .stride = {1, 1}, .padding = {window / 2, window / 2}};
}

}  // namespace

Tensor BlankBlocks::filled(const Shape& shape, float value) {
  for (const std::int64_t side : shape) {
    if (side >= 1 && side <= kLargestSide) continue;
    fail(ErrorCode::corrupt_file, "a weight would have the shape {}; expected 1 to {} a side",
         to_string(shape), kLargestSide);
  }
  const std::int64_t count = element_count(shape);
  if (count > kMostElements - elements_) {
    fail(ErrorCode::unsupported, "the model would have more than {} weights", kMostElements);
  }
  elements_ += count;
  return Tensor::of(shape, std::vector<float>(static_cast<std::size_t>(count), value));
}

Conv2d BlankBlocks::conv2d(std::int64_t in, std::int64_t out, const ConvShape& shape,
                           bool with_bias) {
  const std::int64_t groups = shape.groups;
  if (groups < 1 || in % groups != 0 || out % groups != 0) {
    fail(ErrorCode::corrupt_file, "{} groups do not divide {} channels in and {} out", groups, in,
         out);
  }
  return {.weight = filled({out, in / groups, shape.kernel[0], shape.kernel[1]}, 0),
          .bias = with_bias ? std::optional(filled({out}, 0)) : std::nullopt,
          .stride = shape.stride,
          .padding = shape.padding.value_or(half(shape.kernel, shape.dilation)),
          .dilation = {shape.dilation, shape.dilation},
          .groups = groups};
}

BatchNorm2d BlankBlocks::batch_norm(std::int64_t channels) {
  return {.weight = filled({channels}, 1),
          .bias = filled({channels}, 0),
          .running_mean = filled({channels}, 0),
          .running_var = filled({channels}, 1),
          .eps = kEpsilon};
}

Conv BlankBlocks::conv(std::int64_t in, std::int64_t out, const ConvShape& shape) {
  return {.conv = conv2d(in, out, shape, false), .bn = batch_norm(out), .act = act_};
}

Bottleneck BlankBlocks::bottleneck(std::int64_t in, std::int64_t out, const Inner& inner) {
  const std::int64_t hidden = hidden_channels(out, inner.expansion);
  return {.cv1 = conv(in, hidden),
          .cv2 = conv(hidden, out, {.kernel = {3, 3}, .groups = inner.groups}),
          .add = inner.shortcut && in == out};
}

Bottleneck BlankBlocks::cross_conv(std::int64_t in, std::int64_t out, const Cross& cross,
                                   const Inner& inner) {
  const std::int64_t hidden = hidden_channels(out, inner.expansion);
  return {
      .cv1 = conv(in, hidden, {.kernel = {1, cross.size}, .stride = {1, cross.stride}}),
      .cv2 = conv(hidden, out,
                  {.kernel = {cross.size, 1}, .stride = {cross.stride, 1}, .groups = inner.groups}),
      .add = inner.shortcut && in == out};
}

C3 BlankBlocks::empty_c3(std::int64_t in, std::int64_t out, std::int64_t hidden) {
  return {.cv1 = conv(in, hidden), .cv2 = conv(in, hidden), .cv3 = conv(2 * hidden, out)};
}

C3 BlankBlocks::c3(std::int64_t in, std::int64_t out, const Inner& inner) {
  const std::int64_t hidden = hidden_channels(out, inner.expansion);
  C3 result = empty_c3(in, out, hidden);
  Inner part = inner;
  part.expansion = 1;
  for (std::int64_t i = 0; i < inner.repeats; ++i) {
    result.m.push_back(bottleneck(hidden, hidden, part));
  }
  return result;
}

C3 BlankBlocks::c3x(std::int64_t in, std::int64_t out, const Inner& inner) {
  const std::int64_t hidden = hidden_channels(out, inner.expansion);
  C3 result = empty_c3(in, out, hidden);
  Inner part = inner;
  part.expansion = 1;
  for (std::int64_t i = 0; i < inner.repeats; ++i) {
    result.m.push_back(cross_conv(hidden, hidden, {.size = 3}, part));
  }
  return result;
}

C3SPP BlankBlocks::c3spp(std::int64_t in, std::int64_t out,
                         const std::vector<std::int64_t>& windows, double expansion) {
  const std::int64_t hidden = hidden_channels(out, expansion);
  return {.cv1 = conv(in, hidden),
          .cv2 = conv(in, hidden),
          .cv3 = conv(2 * hidden, out),
          .m = spp(hidden, hidden, windows)};
}

BottleneckCSP BlankBlocks::bottleneck_csp(std::int64_t in, std::int64_t out, const Inner& inner) {
  const std::int64_t hidden = hidden_channels(out, inner.expansion);
  BottleneckCSP result{.cv1 = conv(in, hidden),
                       .cv2 = conv2d(in, hidden, {}, false),
                       .cv3 = conv2d(hidden, hidden, {}, false),
                       .cv4 = conv(2 * hidden, out),
                       .bn = batch_norm(2 * hidden),
                       .act = act_};
  Inner part = inner;
  part.expansion = 1;
  for (std::int64_t i = 0; i < inner.repeats; ++i) {
    result.m.push_back(bottleneck(hidden, hidden, part));
  }
  return result;
}

SPP BlankBlocks::spp(std::int64_t in, std::int64_t out, const std::vector<std::int64_t>& windows) {
  const std::int64_t hidden = in / 2;
  const auto branches = static_cast<std::int64_t>(windows.size()) + 1;
  SPP result{.cv1 = conv(in, hidden), .cv2 = conv(hidden * branches, out)};
  for (const std::int64_t window : windows) result.m.push_back(pool_of(window));
  return result;
}

SPPF BlankBlocks::sppf(std::int64_t in, std::int64_t out, std::int64_t window) {
  const std::int64_t hidden = in / 2;
  return {.cv1 = conv(in, hidden), .cv2 = conv(hidden * 4, out), .m = pool_of(window)};
}

}  // namespace yoloq::model::detail
