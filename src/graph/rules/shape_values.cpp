// SPDX-License-Identifier: Apache-2.0
#include "core/error.h"
#include "graph/detail/arguments.h"
#include "graph/detail/dims.h"
#include "graph/detail/rules.h"
#include "graph/detail/values.h"

namespace yoloq::graph::detail {

Types constant_type(const TypeQuery& query) {
  const auto value = value_of_constant(query.node);
  if (!value) return {ValueType{}};
  return {{value->dtype(), fixed_dims(value->shape())}};
}

Types constant_of_shape_type(const TypeQuery& query) {
  const auto value = value_of_constant(query.node);
  const DType dtype = value ? value->dtype() : DType::f32;
  const Known* sizes = optional_input(query, 0);
  if (sizes != nullptr && sizes->elements) {
    Dims dims;
    for (const Element& element : *sizes->elements) dims.push_back(dim_of(element));
    return {{dtype, dims}};
  }
  const auto counted = input_type(query, 0).dims;
  const bool few =
      counted && counted->size() == 1 && counted->front().known() && counted->front().size <= 64;
  if (!few) return {{dtype, std::nullopt}};
  return {{dtype, Dims(static_cast<std::size_t>(counted->front().size))}};
}

Types non_zero_type(const TypeQuery& query) {
  const auto x = input_type(query, 0).dims;
  const Dim rank = x ? Dim::fixed(static_cast<std::int64_t>(x->size())) : Dim{};
  return {{DType::i64, Dims{rank, Dim{}}}};
}

Types range_type(const TypeQuery& query) {
  const DType dtype = input_type(query, 0).dtype;
  const auto tensor = [&](std::size_t index) -> const Tensor* {
    const Known* known = optional_input(query, index);
    return known != nullptr && known->tensor ? &*known->tensor : nullptr;
  };
  if (tensor(0) && tensor(1) && tensor(2)) {
    return {{dtype, Dims{Dim::fixed(range_size(query.node, *tensor(0), *tensor(1), *tensor(2)))}}};
  }
  const auto element = [&](std::size_t index) -> Element {
    const Known* known = optional_input(query, index);
    const bool one = known != nullptr && known->elements && known->elements->size() == 1;
    return one ? known->elements->front() : Element{};
  };
  const Element count = difference(element(1), element(0));
  const bool counts_up = element(2) == Element::number(1) && count.offset >= 0 && count.factor >= 0;
  return {{dtype, Dims{counts_up ? dim_of(count) : Dim{}}}};
}

Types shape_type(const TypeQuery& query) {
  const auto x = input_type(query, 0).dims;
  if (!x) return {{DType::i64, Dims{Dim{}}}};
  const ShapeRange part = shape_range(query.node, x->size());
  return {{DType::i64, Dims{Dim::fixed(static_cast<std::int64_t>(part.end - part.begin))}}};
}

Types size_type(const TypeQuery&) { return {{DType::i64, Dims{}}}; }

}  // namespace yoloq::graph::detail
