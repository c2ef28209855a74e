// SPDX-License-Identifier: Apache-2.0
#include "core/error.h"
#include "graph/detail/arguments.h"
#include "graph/detail/dims.h"
#include "graph/detail/rules.h"

namespace yoloq::graph::detail {

namespace {

/// What the inputs from `first` on broadcast to; none if the rank of one is not known.
std::optional<Dims> broadcast_inputs(const TypeQuery& query, std::size_t first) {
  std::optional<Dims> dims = input_type(query, first).dims;
  for (std::size_t i = first + 1; dims && i < query.inputs.size(); ++i) {
    const auto other = input_type(query, i).dims;
    if (!other) return std::nullopt;
    dims = broadcast(*dims, *other);
  }
  return dims;
}

}  // namespace

Types same_type(const TypeQuery& query) { return {input_type(query, 0)}; }

Types broadcast_type(const TypeQuery& query) {
  return {{input_type(query, 0).dtype, broadcast_inputs(query, 0)}};
}

Types comparison_type(const TypeQuery& query) {
  return {{DType::boolean, broadcast_inputs(query, 0)}};
}

Types where_type(const TypeQuery& query) {
  return {{input_type(query, 1).dtype, broadcast_inputs(query, 0)}};
}

Types cast_type(const TypeQuery& query) {
  return {{static_cast<DType>(query.node.integer("to", 0)), input_type(query, 0).dims}};
}

Types dropout_type(const TypeQuery& query) {
  return {input_type(query, 0), {DType::boolean, input_type(query, 0).dims}};
}

Types quantize_type(const TypeQuery& query) {
  DType codes = DType::u8;
  if (optional_input(query, 2) != nullptr) codes = input_type(query, 2).dtype;
  const auto named = static_cast<DType>(query.node.integer("output_dtype", 0));
  if (named != DType::undefined) codes = named;
  return {{codes, input_type(query, 0).dims}};
}

Types dequantize_type(const TypeQuery& query) {
  return {{input_type(query, 1).dtype, input_type(query, 0).dims}};
}

}  // namespace yoloq::graph::detail
