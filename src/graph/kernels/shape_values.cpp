// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "graph/detail/arguments.h"
#include "graph/detail/arrays.h"
#include "graph/detail/kernels.h"
#include "graph/detail/values.h"

namespace yoloq::graph::detail {

namespace {

constexpr std::int64_t kLongestRange = std::int64_t{1} << 31;

/// How many elements the range of T from `start` to `limit` has.
template <typename T>
std::int64_t range_count(const Node& node, T start, T limit, T delta) {
  if (delta == T{}) contradict(node, "its step is 0");
  const double count = std::ceil((static_cast<double>(limit) - static_cast<double>(start)) /
                                 static_cast<double>(delta));
  if (!(count < static_cast<double>(kLongestRange))) contradict(node, "it has too many elements");
  return std::max<std::int64_t>(0, static_cast<std::int64_t>(count));
}

}  // namespace

std::optional<Tensor> value_of_constant(const Node& node) {
  if (const auto found = node.attributes.find("value"); found != node.attributes.end()) {
    if (const auto* tensor = std::get_if<Tensor>(&found->second)) return *tensor;
  }
  const auto attribute = [&](const char* key) { return node.attributes.contains(key); };
  if (attribute("value_int")) return Tensor::scalar(node.integer("value_int", 0));
  if (attribute("value_float")) return Tensor::scalar(node.real("value_float", 0));
  if (attribute("value_ints")) return Tensor::list(node.integers("value_ints"));
  if (const auto found = node.attributes.find("value_floats"); found != node.attributes.end()) {
    if (const auto* list = std::get_if<std::vector<float>>(&found->second)) {
      return Tensor::list(*list);
    }
  }
  return std::nullopt;
}

std::int64_t range_size(const Node& node, const Tensor& start, const Tensor& limit,
                        const Tensor& delta) {
  const bool scalars = start.size() == 1 && limit.size() == 1 && delta.size() == 1;
  if (!scalars) contradict(node, "its inputs are no scalars");
  return visit_number(start.dtype(), [&]<typename T>() {
    return range_count(node, start.values<T>()[0], limit.values<T>()[0], delta.values<T>()[0]);
  });
}

Tensors constant(const Call& call) {
  if (auto value = value_of_constant(call.node)) return {*value};
  not_covered(call.node, "its kind of value has no kernel");
}

Tensors constant_of_shape(const Call& call) {
  const auto sizes = input(call, 0).to_integers();
  const auto value = value_of_constant(call.node).value_or(Tensor::scalar(0.0f));
  if (value.size() != 1) contradict(call.node, "its value has not one element");
  std::vector<AxisIndices> indices;
  for (const std::int64_t size : sizes) {
    if (size < 0) contradict(call.node, "a size is negative");
    indices.emplace_back(static_cast<std::size_t>(size), 0);
  }
  return {selected(value.reshaped(Shape(sizes.size(), 1)), indices)};
}

Tensors non_zero(const Call& call) {
  const Tensor& x = input(call, 0);
  const Shape strides = strides_of(x.shape());
  std::vector<std::int64_t> found;
  visit_number(x.dtype(), [&]<typename T>() {
    for (std::size_t i = 0; i < x.size(); ++i) {
      if (x.values<T>()[i] != T{}) found.push_back(static_cast<std::int64_t>(i));
    }
  });
  std::vector<std::int64_t> result;
  for (std::size_t d = 0; d < strides.size(); ++d) {
    for (const std::int64_t i : found) result.push_back(i / strides[d] % x.shape()[d]);
  }
  return {tensor_of<std::int64_t>({x.rank(), static_cast<std::int64_t>(found.size())}, result)};
}

Tensors range(const Call& call) {
  const Tensor& start = input(call, 0);
  const Tensor& delta = input(call, 2);
  const std::int64_t count = range_size(call.node, start, input(call, 1), delta);
  return visit_number(start.dtype(), [&]<typename T>() -> Tensors {
    std::vector<Stored<T>> result;
    T value = start.values<T>()[0];
    for (std::int64_t i = 0; i < count; ++i) {
      result.push_back(value);
      if (i + 1 < count) value = static_cast<T>(value + delta.values<T>()[0]);
    }
    return {tensor_of<T>({count}, result)};
  });
}

Tensors shape(const Call& call) {
  const Shape& sizes = input(call, 0).shape();
  const ShapeRange part = shape_range(call.node, sizes.size());
  const std::span<const std::int64_t> all(sizes);
  const auto chosen = all.subspan(part.begin, part.end - part.begin);
  return {Tensor::list(std::vector<std::int64_t>(chosen.begin(), chosen.end()))};
}

Tensors size(const Call& call) {
  return {Tensor::scalar(static_cast<std::int64_t>(input(call, 0).size()))};
}

ShapeRange shape_range(const Node& node, std::size_t rank) {
  const auto count = static_cast<std::int64_t>(rank);
  const auto bound = [&](const char* key, std::int64_t fallback) {
    const std::int64_t given = node.integer(key, fallback);
    return std::clamp<std::int64_t>(given < 0 ? given + count : given, 0, count);
  };
  const auto begin = static_cast<std::size_t>(bound("start", 0));
  return {begin, std::max(begin, static_cast<std::size_t>(bound("end", count)))};
}

}  // namespace yoloq::graph::detail
