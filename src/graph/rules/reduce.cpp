// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "core/error.h"
#include "graph/detail/arguments.h"
#include "graph/detail/rules.h"
#include "graph/detail/shapes_of.h"

namespace yoloq::graph::detail {

namespace {

/// `dims` without the axes, or with one element along each.
Dims without(const TypeQuery& query, const Dims& dims, const std::vector<std::int64_t>& axes) {
  const bool kept = query.node.integer("keepdims", 1) != 0;
  Dims result;
  for (std::size_t d = 0; d < dims.size(); ++d) {
    const bool reduced = std::ranges::binary_search(axes, static_cast<std::int64_t>(d));
    if (!reduced) result.push_back(dims[d]);
    if (reduced && kept) result.push_back(Dim::fixed(1));
  }
  return result;
}

}  // namespace

Types reduce_type(const TypeQuery& query) {
  const ValueType x = input_type(query, 0);
  const auto given = integers(query, "axes", 1);
  if (!x.dims || !given) return {{x.dtype, std::nullopt}};
  const std::size_t rank = x.dims->size();
  auto axes = sorted_axes(query.node, *given, rank);
  if (axes.empty() && query.node.integer("noop_with_empty_axes", 0) == 0) {
    for (std::size_t d = 0; d < rank; ++d) axes.push_back(static_cast<std::int64_t>(d));
  }
  return {{x.dtype, without(query, *x.dims, axes)}};
}

Types arg_max_type(const TypeQuery& query) {
  const ValueType x = input_type(query, 0);
  if (!x.dims) return {{DType::i64, std::nullopt}};
  const std::size_t axis = axis_of(query.node, query.node.integer("axis", 0), x.dims->size());
  return {{DType::i64, without(query, *x.dims, {static_cast<std::int64_t>(axis)})}};
}

}  // namespace yoloq::graph::detail
