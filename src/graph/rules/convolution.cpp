// SPDX-License-Identifier: Apache-2.0
#include "core/error.h"
#include "graph/detail/arguments.h"
#include "graph/detail/dims.h"
#include "graph/detail/rules.h"
#include "graph/detail/window.h"

namespace yoloq::graph::detail {

namespace {

/// [N, C, ...] with each image axis as long as the window has positions.
Types windowed(const TypeQuery& query, std::span<const std::int64_t> kernel, const Dim& channels) {
  const ValueType x = input_type(query, 0);
  const auto axes = window_of(query.node, kernel);
  if (!x.dims) return {{x.dtype, std::nullopt}};
  if (x.dims->size() != axes.size() + 2) {
    contradict(query.node, "input and kernel differ in rank");
  }
  Dims dims{(*x.dims)[0], channels};
  for (std::size_t i = 0; i < axes.size(); ++i) {
    dims.push_back(axes[i].positions((*x.dims)[2 + i]));
  }
  return {{x.dtype, dims}};
}

}  // namespace

Types conv_type(const TypeQuery& query) {
  const auto weight = input_type(query, 1).dims;
  if (!weight) return {{input_type(query, 0).dtype, std::nullopt}};
  const auto shape = fixed_shape(*weight);
  if (!shape) return {{input_type(query, 0).dtype, std::nullopt}};
  if (shape->size() < 3) contradict(query.node, "its weight has no image axes");
  const auto x = input_type(query, 0).dims;
  const std::int64_t channels = (*shape)[1] * query.node.integer("group", 1);
  if (x && x->size() > 1 && (*x)[1].known() && (*x)[1].size != channels) {
    contradict(query.node, "its input has " + std::to_string((*x)[1].size) +
                               " channels, its weight expects " + std::to_string(channels));
  }
  return windowed(query, std::span(*shape).subspan(2), Dim::fixed((*shape)[0]));
}

Types pool_type(const TypeQuery& query) {
  const auto x = input_type(query, 0).dims;
  Types types = windowed(query, {}, x && x->size() > 1 ? (*x)[1] : Dim{});
  types.push_back({DType::i64, types.front().dims});
  return types;
}

Types global_pool_type(const TypeQuery& query) {
  ValueType type = input_type(query, 0);
  if (!type.dims) return {type};
  for (std::size_t i = 2; i < type.dims->size(); ++i) (*type.dims)[i] = Dim::fixed(1);
  return {type};
}

Types matmul_type(const TypeQuery& query) {
  const ValueType a = input_type(query, 0);
  const ValueType b = input_type(query, 1);
  if (!a.dims || !b.dims || a.dims->size() < 2 || b.dims->size() < 2) {
    return {{a.dtype, std::nullopt}};
  }
  Dims dims =
      broadcast(Dims(a.dims->begin(), a.dims->end() - 2), Dims(b.dims->begin(), b.dims->end() - 2));
  dims.push_back(a.dims->end()[-2]);
  dims.push_back(b.dims->back());
  return {{a.dtype, dims}};
}

Types gemm_type(const TypeQuery& query) {
  const ValueType a = input_type(query, 0);
  const ValueType b = input_type(query, 1);
  const bool matrices = a.dims && b.dims && a.dims->size() == 2 && b.dims->size() == 2;
  if (!matrices) return {{a.dtype, std::nullopt}};
  const Dim rows = (*a.dims)[query.node.integer("transA", 0) != 0 ? 1 : 0];
  const Dim columns = (*b.dims)[query.node.integer("transB", 0) != 0 ? 0 : 1];
  return {{a.dtype, Dims{rows, columns}}};
}

}  // namespace yoloq::graph::detail
