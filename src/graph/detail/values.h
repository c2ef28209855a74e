// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "graph/graph.h"

namespace yoloq::graph::detail {

/// The tensor of a Constant, or of ConstantOfShape's fill; none if it is of a kind that is only
/// kept (strings, sparse).
std::optional<Tensor> value_of_constant(const Node& node);

/// How many elements Range gives.
///
/// @throws Error(corrupt_file) for a step of 0, inputs that are no scalars, or over 2^31 elements.
std::int64_t range_size(const Node& node, const Tensor& start, const Tensor& limit,
                        const Tensor& delta);

/// Which sizes Shape returns: those from `begin` up to, without, `end`.
struct ShapeRange {
  std::size_t begin = 0;
  std::size_t end = 0;
};

ShapeRange shape_range(const Node& node, std::size_t rank);

}  // namespace yoloq::graph::detail
