// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdlib>

#include "core/error.h"
#include "graph/detail/arguments.h"
#include "graph/detail/dims.h"
#include "graph/detail/resizing.h"
#include "graph/detail/rules.h"
#include "graph/detail/shapes_of.h"

namespace yoloq::graph::detail {

namespace {

/// `dim` times a scale, which is mostly a whole number.
Dim scaled(const Dim& dim, float scale) {
  if (dim.known()) return Dim::fixed(scaled_size(dim.size, scale));
  const bool whole =
      scale >= 1 && scale < 65536 && scale == static_cast<float>(static_cast<int>(scale));
  if (!whole) return {};
  return dim_of(product(element_of(dim), Element::number(static_cast<std::int64_t>(scale))));
}

/// The scales of Resize if they are known, else an empty list.
std::vector<float> known_scales(const TypeQuery& query) {
  if (auto scales = scales_attribute(query.node); !scales.empty()) return scales;
  const Known* known = optional_input(query, scales_input(query.node, query.opset));
  if (known == nullptr || !known->tensor) return {};
  return known->tensor->to_floats();
}

}  // namespace

Types gather_type(const TypeQuery& query) {
  const ValueType x = input_type(query, 0);
  const ValueType which = input_type(query, 1);
  if (!x.dims || !which.dims) return {{x.dtype, std::nullopt}};
  const std::size_t axis = axis_of(query.node, query.node.integer("axis", 0), x.dims->size());
  Dims dims = *x.dims;
  const auto place = dims.erase(dims.begin() + static_cast<std::ptrdiff_t>(axis));
  dims.insert(place, which.dims->begin(), which.dims->end());
  return {{x.dtype, dims}};
}

Types pad_type(const TypeQuery& query) {
  ValueType type = input_type(query, 0);
  if (!type.dims) return {type};
  const auto pads = integers(query, "pads", 1);
  const bool all_axes = optional_input(query, 3) == nullptr;
  if (!pads || !all_axes) return {{type.dtype, Dims(type.dims->size())}};
  const std::size_t rank = type.dims->size();
  if (pads->size() != rank * 2) contradict(query.node, "two pads per axis are expected");
  for (std::size_t d = 0; d < rank; ++d) {
    const std::int64_t before = (*pads)[d];
    const std::int64_t after = (*pads)[rank + d];
    if (std::max(std::abs(before), std::abs(after)) > kWidestPad) {
      contradict(query.node, "a pad is out of range");
    }
    const Element size = element_of((*type.dims)[d]);
    (*type.dims)[d] = dim_of(sum(size, Element::number(before + after)));
  }
  return {type};
}

Types resize_type(const TypeQuery& query) {
  ValueType type = input_type(query, 0);
  if (!type.dims) return {type};
  const std::size_t rank = type.dims->size();
  const auto scales = known_scales(query);
  const Known* sizes = nullptr;
  if (const std::size_t at = sizes_input(query.node, query.opset))
    sizes = optional_input(query, at);
  for (std::size_t d = 0; d < rank; ++d) {
    Dim& dim = (*type.dims)[d];
    if (scales.size() == rank) {
      dim = scaled(dim, scales[d]);
    } else if (sizes != nullptr && sizes->elements && sizes->elements->size() == rank) {
      dim = dim_of((*sizes->elements)[d]);
    } else {
      dim = Dim{};
    }
  }
  return {type};
}

Types slice_type(const TypeQuery& query) {
  ValueType type = input_type(query, 0);
  if (!type.dims) return {type};
  const std::size_t rank = type.dims->size();
  const auto axes = integers(query, "axes", 3);
  const auto steps = integers(query, "", 4);
  const auto starts = integers(query, "starts", 1);
  const auto ends = integers(query, "ends", 2);
  if (!axes || !steps || !starts || !ends) {
    if (!axes || axes->empty()) return {{type.dtype, Dims(rank)}};
    for (const std::int64_t axis : *axes) (*type.dims)[axis_of(query.node, axis, rank)] = Dim{};
    return {type};
  }
  const auto arguments = completed(query.node, {*starts, *ends, *axes, *steps}, rank);
  for (std::size_t i = 0; i < arguments.axes.size(); ++i) {
    Dim& dim = (*type.dims)[static_cast<std::size_t>(arguments.axes[i])];
    const std::int64_t start = arguments.starts[i];
    const std::int64_t end = arguments.ends[i];
    const std::int64_t step = arguments.steps[i];
    const bool to_the_end = start >= 0 && step >= 1 && step < 65536 && end >= (1LL << 31) - 1;
    if (dim.known()) {
      dim = Dim::fixed(slice_of(dim.size, start, end, step).count);
    } else if (to_the_end && start < step) {
      dim = quotient(dim, step - 1 - start, step);  // Counts first, first + step, ... < size.
    } else {
      dim = Dim{};
    }
  }
  return {type};
}

Types split_type(const TypeQuery& query) {
  const ValueType x = input_type(query, 0);
  const std::size_t parts = query.node.outputs.size();
  if (!x.dims) return Types(parts, x);
  const std::size_t axis = axis_of(query.node, query.node.integer("axis", 0), x.dims->size());
  const auto given = integers(query, "split", 1);
  const Dim whole = (*x.dims)[axis];
  Types types(parts, x);
  for (ValueType& type : types) (*type.dims)[axis] = Dim{};
  if (!given || (given->empty() && !whole.known())) return types;
  const auto sizes = whole.known() ? split_sizes(query.node, whole.size, *given) : *given;
  for (std::size_t i = 0; i < std::min(parts, sizes.size()); ++i) {
    if (sizes[i] >= 0) (*types[i].dims)[axis] = Dim::fixed(sizes[i]);
  }
  return types;
}

}  // namespace yoloq::graph::detail
