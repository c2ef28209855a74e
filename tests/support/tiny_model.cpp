// SPDX-License-Identifier: Apache-2.0
#include "support/tiny_model.h"

#include <fmt/core.h>

#include <cmath>
#include <numbers>
#include <random>
#include <utility>

namespace yoloq::test {

namespace {

using namespace model;  // NOLINT: this file speaks of nothing else.

constexpr float kEps = 1e-3f;  // As Ultralytics trains.

/// Writes modules with random weights.
class ModelAuthor {
 public:
  explicit ModelAuthor(const TinyOptions& options) : random_(options.seed), act_(options.act) {}

  /// Uniform in [low, high).
  float uniform(float low, float high) {
    return low + (high - low) * static_cast<float>(random_() >> 8) / 16777216.0f;
  }

  /// Box and Muller's method, as the standard library's is not the same everywhere.
  float normal(float deviation) {
    const float radius = std::sqrt(-2.0f * std::log(uniform(1e-7f, 1.0f)));
    return deviation * radius * std::cos(uniform(0.0f, 2.0f * std::numbers::pi_v<float>));
  }

  Tensor uniforms(std::int64_t count, float low, float high) {
    std::vector<float> values(static_cast<std::size_t>(count));
    for (float& value : values) value = uniform(low, high);
    return Tensor::list(values);
  }

  Conv2d conv2d(std::int64_t in, std::int64_t out, std::int64_t kernel) {
    std::vector<float> values(static_cast<std::size_t>(out * in * kernel * kernel));
    const float deviation = std::sqrt(2.0f / static_cast<float>(in * kernel * kernel));
    for (float& value : values) value = normal(deviation);
    return {.weight = Tensor::of({out, in, kernel, kernel}, values)};
  }

  BatchNorm2d norm(std::int64_t channels) {
    return {.weight = uniforms(channels, 0.7f, 1.6f),
            .bias = uniforms(channels, -0.4f, 0.6f),
            .running_mean = uniforms(channels, -0.2f, 0.2f),
            .running_var = uniforms(channels, 0.2f, 1.0f),
            .eps = kEps};
  }

  Conv conv(std::int64_t in, std::int64_t out, std::int64_t kernel = 1, std::int64_t stride = 1) {
    Conv2d inner = conv2d(in, out, kernel);
    inner.stride = {stride, stride};
    inner.padding = kernel == 6 ? Pair{2, 2} : Pair{kernel / 2, kernel / 2};
    return {.conv = std::move(inner), .bn = norm(out), .act = act_};
  }

  Bottleneck bottleneck(std::int64_t channels, bool add) {
    Conv first = conv(channels, channels);
    return {.cv1 = std::move(first), .cv2 = conv(channels, channels, 3), .add = add};
  }

  C3 c3(std::int64_t in, std::int64_t out, bool add) {
    const std::int64_t hidden = out / 2;
    C3 result;
    result.cv1 = conv(in, hidden);
    result.cv2 = conv(in, hidden);
    result.cv3 = conv(2 * hidden, out);
    result.m.push_back(bottleneck(hidden, add));
    return result;
  }

  BottleneckCSP csp(std::int64_t in, std::int64_t out) {
    const std::int64_t hidden = out / 2;
    BottleneckCSP result;
    result.cv1 = conv(in, hidden);
    result.cv2 = conv2d(in, hidden, 1);
    result.cv3 = conv2d(hidden, hidden, 1);
    result.cv4 = conv(2 * hidden, out);
    result.bn = norm(2 * hidden);
    result.act = {.kind = Activation::Kind::leaky_relu, .slope = 0.1f};
    result.m.push_back(bottleneck(hidden, false));
    return result;
  }

  static MaxPool2d pool(std::int64_t kernel) {
    return {.kernel_size = {kernel, kernel}, .padding = {kernel / 2, kernel / 2}};
  }

  SPPF sppf(std::int64_t channels) {
    SPPF result;
    result.cv1 = conv(channels, channels / 2);
    result.cv2 = conv(channels * 2, channels);
    result.m = pool(5);
    return result;
  }

  SPP spp(std::int64_t channels) {
    SPP result;
    result.cv1 = conv(channels, channels / 2);
    result.cv2 = conv(channels * 2, channels);
    result.m = {pool(5), pool(9), pool(13)};
    return result;
  }

  /// A head whose scores spread over 0 to 1, lower ones more often.
  Conv2d head(std::int64_t in, std::int64_t out, std::int64_t per_anchor) {
    Conv2d result = conv2d(in, out, 1);
    std::vector<float> bias(static_cast<std::size_t>(out));
    for (std::int64_t i = 0; i < out; ++i) {
      const bool is_score = i % per_anchor >= 4;
      bias[static_cast<std::size_t>(i)] = is_score ? uniform(-2.5f, -0.5f) : uniform(-0.5f, 0.5f);
    }
    result.bias = Tensor::list(bias);
    return result;
  }

 private:
  std::mt19937 random_;
  Activation act_;
};

ModelInfo tiny_info(int classes) {
  ModelInfo info;
  for (int i = 0; i < classes; ++i) info.names.push_back(fmt::format("class {}", i));
  info.class_count = classes;
  info.strides = {8, 16, 32};
  info.max_stride = 32;
  info.anchors = {{{10, 13}, {16, 30}, {33, 23}},
                  {{30, 61}, {62, 45}, {59, 119}},
                  {{116, 90}, {156, 198}, {373, 326}}};
  info.task = "detect";
  return info;
}

enum class Layout { v5, v6 };

Description build(const TinyOptions& options, Layout layout) {
  ModelAuthor author(options);
  const bool v5 = layout == Layout::v5;
  const std::int64_t w = options.width;
  Description model;
  const auto add = [&](Module module, std::vector<int> from = {-1}) {
    model.layers.push_back({std::move(from), std::move(module)});
  };
  const auto merge = [&](std::int64_t in, std::int64_t out) -> Module {
    if (v5) return {author.csp(in, out)};
    return {author.c3(in, out, false)};
  };

  if (v5) {
    add({Focus{author.conv(12, w, 3)}});
  } else {
    add({author.conv(3, w, 6, 2)});
  }
  add({author.conv(w, 2 * w, 3, 2)});
  add({author.c3(2 * w, 2 * w, true)});
  add({author.conv(2 * w, 2 * w, 3, 2)});  // 3: stride 8.
  add({author.conv(2 * w, 4 * w, 3, 2)});  // 4: stride 16.
  add({author.conv(4 * w, 4 * w, 3, 2)});
  if (v5) {
    add({author.spp(4 * w)});
  } else {
    add({author.sppf(4 * w)});
  }
  add({author.conv(4 * w, 2 * w)});  // 7: stride 32.
  add({Upsample{}});
  add({Concat{}}, {-1, 4});
  add(merge(6 * w, 2 * w));  // 10: stride 16.
  add({Upsample{}});
  add({Concat{}}, {-1, 3});
  add(merge(4 * w, 2 * w));  // 13: stride 8.

  model.info = tiny_info(options.classes);
  Detect detect;
  const std::int64_t per_anchor = 5 + options.classes;
  for (int i = 0; i < 3; ++i) {
    detect.m.push_back(author.head(2 * w, 3 * per_anchor, per_anchor));
  }
  add({std::move(detect)}, {13, 10, 7});
  return model;
}

}  // namespace

Description tiny_model(const TinyOptions& options) { return build(options, Layout::v6); }

Description tiny_model_v5(const TinyOptions& options) { return build(options, Layout::v5); }

}  // namespace yoloq::test
