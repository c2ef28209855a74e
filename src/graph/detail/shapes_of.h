// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/tensor.h"
#include "graph/graph.h"

/// @file
/// What the arguments of layout operators mean: shared by their kernels and the rules for types.

namespace yoloq::graph::detail {

/// The indices first, first + step, ... of one axis.
struct AxisSlice {
  std::int64_t first = 0;
  std::int64_t step = 1;
  std::int64_t count = 0;
};

/// Python's slice start:end:step of an axis of `size` elements, as in ONNX's Slice.
///
/// @throws Error(corrupt_file) if step is 0.
AxisSlice slice_of(std::int64_t size, std::int64_t start, std::int64_t end, std::int64_t step);

/// The arguments of Slice per axis of a tensor; axes that are not named are whole.
struct SliceArguments {
  std::vector<std::int64_t> starts;
  std::vector<std::int64_t> ends;
  std::vector<std::int64_t> axes;  ///< Counted from the front.
  std::vector<std::int64_t> steps;
};

/// Checks and completes the arguments for a tensor of that rank.
///
/// @throws Error(corrupt_file) if their counts differ or an axis is none.
SliceArguments completed(const Node& node, SliceArguments arguments, std::size_t rank);

/// The sizes that Split gives: `sizes` as given, else `outputs` equal parts of which the last may
/// be smaller.
///
/// @throws Error(corrupt_file) if they do not add up.
std::vector<std::int64_t> split_sizes(const Node& node, std::int64_t size,
                                      std::vector<std::int64_t> sizes);

/// Reshape's target with 0 and -1 replaced.
///
/// @throws Error(corrupt_file) if the elements do not fit.
Shape reshape_target(const Node& node, const Shape& from, std::vector<std::int64_t> target);

/// Transpose's perm attribute, by default the reverse order.
///
/// @throws Error(corrupt_file) if it is no permutation.
std::vector<std::int64_t> permutation_of(const Node& node, std::size_t rank);

/// The axes, counted from the front of a tensor of `rank`, in ascending order.
///
/// @throws Error(corrupt_file) on a duplicate or an axis that is none.
std::vector<std::int64_t> sorted_axes(const Node& node, const std::vector<std::int64_t>& axes,
                                      std::size_t rank);

}  // namespace yoloq::graph::detail
