// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "core/error.h"
#include "graph/detail/arguments.h"
#include "graph/detail/dims.h"
#include "graph/detail/rules.h"
#include "graph/detail/shapes_of.h"

namespace yoloq::graph::detail {

namespace {

Types unknown_rank(const TypeQuery& query) { return {{input_type(query, 0).dtype, std::nullopt}}; }

/// The sizes that an input holds, as far as they are known; none if not even their count is.
std::optional<Dims> sizes_from(const TypeQuery& query, std::size_t index) {
  const Known* known = optional_input(query, index);
  if (known == nullptr) return std::nullopt;
  Dims dims;
  if (known->elements) {
    for (const Element& element : *known->elements) dims.push_back(dim_of(element));
    return dims;
  }
  const bool counted = known->type.dims && known->type.dims->size() == 1 &&
                       known->type.dims->front().known() && known->type.dims->front().size <= 64;
  if (!counted) return std::nullopt;
  return Dims(static_cast<std::size_t>(known->type.dims->front().size));
}

/// The elements of Reshape's target; none if not even their count is known.
std::optional<std::vector<Element>> target_of(const TypeQuery& query) {
  if (const auto given = query.node.integers("shape"); !given.empty()) {
    std::vector<Element> target;
    for (const std::int64_t size : given) target.push_back(Element::number(size));
    return target;
  }
  const Known* known = optional_input(query, 1);
  if (known != nullptr && known->elements) return known->elements;
  const auto dims = sizes_from(query, 1);
  if (!dims) return std::nullopt;
  return std::vector<Element>(dims->size());
}

/// The size that a -1 stands for: what is left of `from` when the sizes that `target` repeats are
/// taken out on both sides.
Dim remaining(Dims from, const Dims& target, std::size_t open) {
  Element left = Element::number(1);
  std::int64_t divisor = 1;
  for (std::size_t i = 0; i < target.size(); ++i) {
    if (i == open) continue;
    const auto twin = std::ranges::find(from, target[i]);
    const bool repeated = twin != from.end() && (twin->known() || !twin->symbol.empty());
    if (repeated) {
      from.erase(twin);
    } else if (!target[i].known() || target[i].size == 0 ||
               __builtin_mul_overflow(divisor, target[i].size, &divisor)) {
      return {};
    }
  }
  for (const Dim& dim : from) left = product(left, element_of(dim));
  return dim_of(exact_quotient(left, Element::number(divisor)));
}

}  // namespace

Types concat_type(const TypeQuery& query) {
  ValueType type = input_type(query, 0);
  if (!type.dims) return {type};
  const std::size_t axis = axis_of(query.node, query.node.integer("axis", 0), type.dims->size());
  Element total = element_of((*type.dims)[axis]);
  for (std::size_t i = 1; i < query.inputs.size(); ++i) {
    const auto other = input_type(query, i).dims;
    if (other && other->size() != type.dims->size()) {
      contradict(query.node, "its inputs differ in rank");
    }
    total = other ? sum(total, element_of((*other)[axis])) : Element{};
    for (std::size_t d = 0; other && d < other->size(); ++d) {
      Dim& dim = (*type.dims)[d];
      if (d != axis && dim.known() && (*other)[d].known() && dim.size != (*other)[d].size) {
        contradict(query.node, "its inputs differ in size along axis " + std::to_string(d) + ": " +
                                   std::to_string(dim.size) + " and " +
                                   std::to_string((*other)[d].size));
      }
      dim = merged(dim, (*other)[d]);
    }
  }
  (*type.dims)[axis] = dim_of(total);
  return {type};
}

Types expand_type(const TypeQuery& query) {
  const ValueType x = input_type(query, 0);
  const auto sizes = sizes_from(query, 1);
  if (!x.dims || !sizes) return unknown_rank(query);
  return {{x.dtype, broadcast(*x.dims, *sizes)}};
}

Types flatten_type(const TypeQuery& query) {
  const ValueType x = input_type(query, 0);
  if (!x.dims) return {{x.dtype, Dims(2)}};
  const std::int64_t given = query.node.integer("axis", 1);
  const auto axis = given == static_cast<std::int64_t>(x.dims->size())
                        ? x.dims->size()
                        : axis_of(query.node, given, x.dims->size());
  Element sides[2] = {Element::number(1), Element::number(1)};
  for (std::size_t d = 0; d < x.dims->size(); ++d) {
    Element& side = sides[d < axis ? 0 : 1];
    side = product(side, element_of((*x.dims)[d]));
  }
  return {{x.dtype, Dims{dim_of(sides[0]), dim_of(sides[1])}}};
}

Types reshape_type(const TypeQuery& query) {
  const ValueType x = input_type(query, 0);
  const auto target = target_of(query);
  if (!target) return unknown_rank(query);
  const bool keeps_zero = query.node.integer("allowzero", 0) != 0;
  Dims dims;
  std::optional<std::size_t> open;
  bool certain = true;  // No unknown element may turn out to be the -1.
  for (std::size_t i = 0; i < target->size(); ++i) {
    const Element& element = (*target)[i];
    certain = certain && element.known;
    if (element == Element::number(-1)) open = i;
    const bool copied = element == Element::number(0) && !keeps_zero;
    if (copied && x.dims && i >= x.dims->size()) contradict(query.node, "a 0 stands too far back");
    dims.push_back(copied ? (x.dims ? (*x.dims)[i] : Dim{}) : dim_of(element));
  }
  if (open && x.dims && certain) dims[*open] = remaining(*x.dims, dims, *open);
  const auto from = x.dims ? fixed_shape(*x.dims) : std::nullopt;
  const auto to = fixed_shape(dims);
  if (from && to && element_count(*from) != element_count(*to)) {
    contradict(query.node, "shape " + to_string(*from) + " does not fit " + to_string(*to));
  }
  return {{x.dtype, dims}};
}

Types squeeze_type(const TypeQuery& query) {
  const ValueType x = input_type(query, 0);
  const auto given = integers(query, "axes", 1);
  if (!x.dims || !given) return unknown_rank(query);
  const auto axes = sorted_axes(query.node, *given, x.dims->size());
  Dims dims;
  for (std::size_t d = 0; d < x.dims->size(); ++d) {
    const Dim& dim = (*x.dims)[d];
    if (axes.empty() && !dim.known()) return unknown_rank(query);
    const bool gone = axes.empty() ? dim.size == 1
                                   : std::ranges::binary_search(axes, static_cast<std::int64_t>(d));
    if (!gone) dims.push_back(dim);
  }
  return {{x.dtype, dims}};
}

Types tile_type(const TypeQuery& query) {
  ValueType type = input_type(query, 0);
  const Known* repeats = optional_input(query, 1);
  if (!type.dims) return {type};
  for (std::size_t d = 0; d < type.dims->size(); ++d) {
    const bool given = repeats != nullptr && repeats->elements && d < repeats->elements->size();
    const Element factor = given ? (*repeats->elements)[d] : Element{};
    (*type.dims)[d] = dim_of(product(element_of((*type.dims)[d]), factor));
  }
  return {type};
}

Types transpose_type(const TypeQuery& query) {
  const ValueType x = input_type(query, 0);
  if (!x.dims) return {x};
  Dims dims;
  for (const std::int64_t axis : permutation_of(query.node, x.dims->size())) {
    dims.push_back((*x.dims)[static_cast<std::size_t>(axis)]);
  }
  return {{x.dtype, dims}};
}

Types unsqueeze_type(const TypeQuery& query) {
  ValueType type = input_type(query, 0);
  const auto given = integers(query, "axes", 1);
  if (!type.dims || !given) return unknown_rank(query);
  const std::size_t rank = type.dims->size() + given->size();
  for (const std::int64_t axis : sorted_axes(query.node, *given, rank)) {
    type.dims->insert(type.dims->begin() + axis, Dim::fixed(1));
  }
  return {type};
}

}  // namespace yoloq::graph::detail
