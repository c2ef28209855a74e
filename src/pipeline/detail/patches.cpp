// SPDX-License-Identifier: Apache-2.0
#include "pipeline/detail/patches.h"

#include <algorithm>
#include <iterator>
#include <numeric>
#include <random>

#include "core/error.h"

namespace yoloq::pipeline::detail {

namespace {

std::vector<std::int64_t> draw_positions(std::int64_t count, const SampleOptions& options) {
  std::vector<std::int64_t> all(static_cast<std::size_t>(count));
  std::iota(all.begin(), all.end(), 0);
  std::vector<std::int64_t> chosen;
  std::mt19937_64 random(options.seed);
  std::ranges::sample(all, std::back_inserter(chosen), static_cast<std::int64_t>(options.positions),
                      random);
  if (options.objects.empty()) return chosen;
  const double share = static_cast<double>(options.objects.size()) / static_cast<double>(count);
  const double extra = options.object_weight * share * static_cast<double>(chosen.size());
  std::uniform_int_distribution<std::size_t> any(0, options.objects.size() - 1);
  for (auto left = static_cast<std::int64_t>(extra); left > 0; --left) {
    chosen.push_back(options.objects[any(random)]);
  }
  return chosen;
}

/// Appends the patch of group `g` at output (row, column).
void append_patch(const PatchGeometry& at, std::span<const float> input, std::int64_t g,
                  std::int64_t position, std::vector<float>& patches) {
  const std::int64_t top = position / at.output_width * at.stride_height - at.pad_top;
  const std::int64_t left = position % at.output_width * at.stride_width - at.pad_left;
  for (std::int64_t c = g * at.group_channels; c < (g + 1) * at.group_channels; ++c) {
    for (std::int64_t i = 0; i < at.kernel_height; ++i) {
      const std::int64_t y = top + i * at.dilation_height;
      for (std::int64_t j = 0; j < at.kernel_width; ++j) {
        const std::int64_t x = left + j * at.dilation_width;
        const bool inside = y >= 0 && y < at.height && x >= 0 && x < at.width;
        const auto place = static_cast<std::size_t>((c * at.height + y) * at.width + x);
        patches.push_back(inside ? input[place] : 0.0f);
      }
    }
  }
}

}  // namespace

PatchGeometry::PatchGeometry(const graph::Node& conv, const Shape& weight, const Shape& input,
                             const Shape& output)
    : groups(conv.integer("group", 1)),
      group_channels(weight[1]),
      kernel_height(weight[2]),
      kernel_width(weight[3]),
      height(input[2]),
      width(input[3]),
      outputs(output[1]),
      output_height(output[2]),
      output_width(output[3]) {
  if (conv.text("auto_pad", "NOTSET") != "NOTSET") {
    fail(ErrorCode::unsupported,
         "weights of '{}' cannot be tuned, as it asks for automatic padding: use --no-tuning",
         conv.name);
  }
  const auto strides = conv.integers("strides", {1, 1});
  const auto dilations = conv.integers("dilations", {1, 1});
  const auto pads = conv.integers("pads", {0, 0, 0, 0});
  stride_height = strides[0];
  stride_width = strides[1];
  dilation_height = dilations[0];
  dilation_width = dilations[1];
  pad_top = pads[0];
  pad_left = pads[1];
}

Samples sample_patches(const PatchGeometry& geometry, std::span<const float> input,
                       std::span<const float> output, const SampleOptions& options) {
  const std::int64_t area = geometry.output_height * geometry.output_width;
  const auto positions = draw_positions(area, options);
  Samples samples;
  for (std::int64_t g = 0; g < geometry.groups; ++g) {
    std::vector<float> patches;
    patches.reserve(positions.size() * static_cast<std::size_t>(geometry.patch_size()));
    std::vector<float> targets;
    targets.reserve(positions.size() * static_cast<std::size_t>(geometry.group_outputs()));
    for (const std::int64_t position : positions) {
      append_patch(geometry, input, g, position, patches);
      for (std::int64_t o = 0; o < geometry.group_outputs(); ++o) {
        const std::int64_t channel = g * geometry.group_outputs() + o;
        targets.push_back(output[static_cast<std::size_t>(channel * area + position)]);
      }
    }
    samples.patches.push_back(std::move(patches));
    samples.targets.push_back(std::move(targets));
  }
  return samples;
}

}  // namespace yoloq::pipeline::detail
