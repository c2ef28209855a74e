// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "graph/ops.h"

/// @file
/// Reading a node's arguments, which ONNX moved from attributes to inputs over its versions.

namespace yoloq::graph::detail {

/// A pad beyond this, on either side, is refused: sums with sizes could overflow.
constexpr std::int64_t kWidestPad = 1 << 30;

/// Input `index` of a call.
///
/// @throws Error(corrupt_file) if it is absent.
const Tensor& input(const Call& call, std::size_t index);

/// Input `index`, or nullptr.
const Tensor* optional_input(const Call& call, std::size_t index);
const Known* optional_input(const TypeQuery& query, std::size_t index);

/// The type of input `index`; an unknown one where it is absent.
ValueType input_type(const TypeQuery& query, std::size_t index);

/// Integers from the attribute `key`, else from input `index`; an empty list where both are absent.
std::vector<std::int64_t> integers(const Call& call, std::string_view key, std::size_t index);

/// The same; none where they come from an input that is not known.
std::optional<std::vector<std::int64_t>> integers(const TypeQuery& query, std::string_view key,
                                                  std::size_t index);

/// `axis` of a tensor of that rank, counted from the front.
///
/// @throws Error(corrupt_file) if it lies outside.
std::size_t axis_of(const Node& node, std::int64_t axis, std::size_t rank);

/// The attributes strides, dilations, ... filled with `value` up to `count` where absent.
///
/// @throws Error(corrupt_file) if there are not `count` of them.
std::vector<std::int64_t> integers_or(const Node& node, std::string_view key, std::size_t count,
                                      std::int64_t value);

/// Throws Error(corrupt_file): "Conv 'model.0.conv': ...".
[[noreturn]] void contradict(const Node& node, const std::string& what);

/// Throws Error(unsupported) likewise.
[[noreturn]] void not_covered(const Node& node, const std::string& what);

}  // namespace yoloq::graph::detail
