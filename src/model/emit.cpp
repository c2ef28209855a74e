// SPDX-License-Identifier: Apache-2.0
#include "model/emit.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "model/detail/builder.h"
#include "model/detail/emit_blocks.h"
#include "model/detail/emit_detect.h"

namespace yoloq::model {

using detail::Builder;
using detail::Flow;

namespace {

constexpr std::int64_t kImageChannels = 3;
constexpr std::int64_t kMaxSide = 1 << 14;  // Pixels; a typing error rather than an image beyond.
constexpr int kMaxStride = 4096;
constexpr std::int64_t kOldestOpset = 13;
constexpr std::int64_t kNewestOpset = 19;

void check_side(const char* name, std::optional<std::int64_t> side, int stride) {
  if (!side || (*side > 0 && *side <= kMaxSide && *side % stride == 0)) return;
  const std::int64_t near = std::clamp<std::int64_t>(*side, 1, kMaxSide - stride);
  fail(ErrorCode::bad_argument,
       "{} {} is not a multiple of the model's largest stride {}; the next that is: {}", name,
       *side, stride, (near + stride - 1) / stride * stride);
}

/// The last layer is the head and strides are usable.
void check(const Description& description, const EmitOptions& options) {
  if (options.opset < kOldestOpset || options.opset > kNewestOpset) {
    fail(ErrorCode::bad_argument, "opset {} is not known; known: {} to {}", options.opset,
         kOldestOpset, kNewestOpset);
  }
  if (options.batch && *options.batch < 1) {
    fail(ErrorCode::bad_argument, "a batch of {} images; expected at least 1", *options.batch);
  }
  if (description.layers.empty() ||
      !std::holds_alternative<Detect>(description.layers.back().module.kind)) {
    fail(ErrorCode::unsupported, "the model does not end in a detection head (Detect)");
  }
  const std::vector<int>& strides = description.info.strides;
  const bool sane = std::ranges::all_of(strides, [](int s) { return s > 0 && s <= kMaxStride; });
  if (strides.empty() || !sane) {
    fail(ErrorCode::corrupt_file, "module model.{}: strides [{}] are not usable",
         description.layers.size() - 1, fmt::join(strides, ", "));
  }
  const int largest = std::ranges::max(strides);
  check_side("height", options.height, largest);
  check_side("width", options.width, largest);
}

Flow add_image(graph::Graph& graph, const EmitOptions& options) {
  const auto dim = [](std::optional<std::int64_t> size, const char* symbol) {
    return size ? graph::Dim::fixed(*size) : graph::Dim::named(symbol);
  };
  graph.inputs.push_back(
      {"images",
       {DType::f32, graph::Dims{dim(options.batch, "batch"), graph::Dim::fixed(kImageChannels),
                                dim(options.height, "height"), dim(options.width, "width")}}});
  return {"images", kImageChannels, options.height, options.width};
}

/// What layer number `index` reads.
std::vector<Flow> sources(const std::string& path, const Layer& layer,
                          const std::vector<Flow>& done, const Flow& image) {
  const auto index = static_cast<int>(done.size());
  if (layer.from.empty()) fail(ErrorCode::corrupt_file, "module {}: it reads nothing", path);
  std::vector<Flow> result;
  for (const int from : layer.from) {
    const int source = from < 0 ? index + from : from;
    if (from == -1 && index == 0) {
      result.push_back(image);
    } else if (source >= 0 && source < index) {
      result.push_back(done[static_cast<std::size_t>(source)]);
    } else {
      fail(ErrorCode::corrupt_file, "module {}: it reads layer {}, which does not come before it",
           path, from);
    }
  }
  return result;
}

}  // namespace

graph::Graph emit(const Description& description, const EmitOptions& options) {
  check(description, options);
  Builder builder(options.opset);
  const Flow image = add_image(builder.graph(), options);

  std::vector<Flow> done;
  for (std::size_t i = 0; i < description.layers.size(); ++i) {
    const Layer& layer = description.layers[i];
    const std::string path = fmt::format("model.{}", i);
    const std::vector<Flow> inputs = sources(path, layer, done, image);
    if (i + 1 == description.layers.size()) {
      detail::emit_detect(builder, path, description, inputs, options);
    } else {
      done.push_back(detail::emit_module(builder, path, layer.module, inputs));
    }
  }
  write_metadata(builder.graph(), description.info);
  return std::move(builder.graph());
}

}  // namespace yoloq::model
