// SPDX-License-Identifier: Apache-2.0
#include "graph/detail/arguments.h"

#include "core/error.h"

namespace yoloq::graph::detail {

namespace {

const std::string& label(const Node& node) {
  static const std::string kNone;
  if (!node.name.empty() || node.outputs.empty()) return node.name;
  return node.output();
}

}  // namespace

const Tensor* optional_input(const Call& call, std::size_t index) {
  return index < call.inputs.size() ? call.inputs[index] : nullptr;
}

const Known* optional_input(const TypeQuery& query, std::size_t index) {
  return index < query.inputs.size() ? query.inputs[index] : nullptr;
}

const Tensor& input(const Call& call, std::size_t index) {
  if (const Tensor* tensor = optional_input(call, index)) return *tensor;
  contradict(call.node, "input " + std::to_string(index) + " is missing");
}

ValueType input_type(const TypeQuery& query, std::size_t index) {
  const Known* known = optional_input(query, index);
  return known == nullptr ? ValueType{} : known->type;
}

std::vector<std::int64_t> integers(const Call& call, std::string_view key, std::size_t index) {
  if (auto found = call.node.integers(key); !found.empty()) return found;
  const Tensor* tensor = optional_input(call, index);
  return tensor == nullptr ? std::vector<std::int64_t>{} : tensor->to_integers();
}

std::optional<std::vector<std::int64_t>> integers(const TypeQuery& query, std::string_view key,
                                                  std::size_t index) {
  if (auto found = query.node.integers(key); !found.empty()) return found;
  const Known* known = optional_input(query, index);
  if (known == nullptr) return std::vector<std::int64_t>{};
  if (!known->tensor) return std::nullopt;
  return known->tensor->to_integers();
}

std::size_t axis_of(const Node& node, std::int64_t axis, std::size_t rank) {
  const auto signed_rank = static_cast<std::int64_t>(rank);
  const std::int64_t front = axis < 0 ? axis + signed_rank : axis;
  if (front >= 0 && front < signed_rank) return static_cast<std::size_t>(front);
  fail(ErrorCode::corrupt_file, "{} '{}': axis {} lies outside a tensor of rank {}", node.op,
       label(node), axis, rank);
}

std::vector<std::int64_t> integers_or(const Node& node, std::string_view key, std::size_t count,
                                      std::int64_t value) {
  auto found = node.integers(key);
  if (found.empty()) return std::vector<std::int64_t>(count, value);
  if (found.size() == count) return found;
  fail(ErrorCode::corrupt_file, "{} '{}': attribute '{}' has {} elements, expected {}", node.op,
       label(node), key, found.size(), count);
}

void contradict(const Node& node, const std::string& what) {
  fail(ErrorCode::corrupt_file, "{} '{}': {}", node.op, label(node), what);
}

void not_covered(const Node& node, const std::string& what) {
  fail(ErrorCode::unsupported, "{} '{}': {}", node.op, label(node), what);
}

}  // namespace yoloq::graph::detail
