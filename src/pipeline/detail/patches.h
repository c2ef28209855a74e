// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/tensor.h"
#include "graph/graph.h"

namespace yoloq::pipeline::detail {

/// Where a convolution reads, for one image.
struct PatchGeometry {
  /// @param weight  [O, I / groups, kH, kW]
  /// @param input   [1, I, H, W]
  /// @param output  [1, O, H', W']
  PatchGeometry(const graph::Node& conv, const Shape& weight, const Shape& input,
                const Shape& output);

  std::int64_t patch_size() const { return group_channels * kernel_height * kernel_width; }
  std::int64_t group_outputs() const { return outputs / groups; }

  std::int64_t groups = 1;
  std::int64_t group_channels = 0;  ///< I / groups.
  std::int64_t kernel_height = 0, kernel_width = 0;
  std::int64_t stride_height = 1, stride_width = 1;
  std::int64_t dilation_height = 1, dilation_width = 1;
  std::int64_t pad_top = 0, pad_left = 0;
  std::int64_t height = 0, width = 0;  ///< Of the input.
  std::int64_t outputs = 0, output_height = 0, output_width = 0;
};

struct SampleOptions {
  std::size_t positions = 400;  ///< All of them if the output has no more.
  std::uint64_t seed = 0;
  std::span<const std::uint32_t> objects;  ///< Places of the output that count more.
  int object_weight = 0;                   ///< How many times more.
};

/// Patches and the outputs that belong to them; one block per group of the convolution.
struct Samples {
  std::vector<std::vector<float>> patches;  ///< [n, K] each, zero where a patch leaves the image.
  std::vector<std::vector<float>> targets;  ///< [n, O / groups] each.
};

/// Reads patches of `input` [I, H, W] and values of `output` [O, H', W'] at random positions,
/// without repetition; then at as many more positions of objects as their weight asks for.
Samples sample_patches(const PatchGeometry& geometry, std::span<const float> input,
                       std::span<const float> output, const SampleOptions& options);

}  // namespace yoloq::pipeline::detail
