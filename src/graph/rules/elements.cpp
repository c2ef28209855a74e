// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "graph/detail/arguments.h"
#include "graph/detail/dims.h"
#include "graph/detail/rules.h"
#include "graph/detail/shapes_of.h"
#include "graph/detail/values.h"

namespace yoloq::graph::detail {

namespace {

const std::vector<Element>* elements_at(const TypeQuery& query, std::size_t index) {
  const Known* known = optional_input(query, index);
  return known != nullptr && known->elements ? &*known->elements : nullptr;
}

/// `function` of each pair; lists of one element are repeated.
template <typename Function>
Elements paired(const TypeQuery& query, Function function) {
  const auto* a = elements_at(query, 0);
  const auto* b = elements_at(query, 1);
  if (a == nullptr || b == nullptr) return std::nullopt;
  const std::size_t count = a->size() == 1 ? b->size() : a->size();
  if ((a->size() != count && a->size() != 1) || (b->size() != count && b->size() != 1)) {
    return std::nullopt;
  }
  std::vector<Element> result;
  for (std::size_t i = 0; i < count; ++i) {
    result.push_back(function((*a)[a->size() == 1 ? 0 : i], (*b)[b->size() == 1 ? 0 : i]));
  }
  return result;
}

}  // namespace

Elements same_elements(const TypeQuery& query) {
  const auto* list = elements_at(query, 0);
  return list == nullptr ? std::nullopt : Elements(*list);
}

Elements cast_elements(const TypeQuery& query) {
  constexpr DType kWide[] = {DType::i32, DType::i64, DType::f32, DType::f64};
  const auto to = static_cast<DType>(query.node.integer("to", 0));
  const bool wide = std::ranges::find(kWide, to) != std::end(kWide);
  return wide ? same_elements(query) : std::nullopt;
}

Elements add_elements(const TypeQuery& query) { return paired(query, sum); }
Elements subtract_elements(const TypeQuery& query) { return paired(query, difference); }
Elements multiply_elements(const TypeQuery& query) { return paired(query, product); }
Elements divide_elements(const TypeQuery& query) { return paired(query, exact_quotient); }
Elements equal_elements(const TypeQuery& query) { return paired(query, are_equal); }

Elements concat_elements(const TypeQuery& query) {
  std::vector<Element> result;
  for (std::size_t i = 0; i < query.inputs.size(); ++i) {
    if (const auto* part = elements_at(query, i)) {
      result.insert(result.end(), part->begin(), part->end());
      continue;
    }
    const auto dims = input_type(query, i).dims;
    const bool counted =
        dims && dims->size() == 1 && dims->front().known() && dims->front().size <= 64;
    if (!counted) return std::nullopt;
    result.resize(result.size() + static_cast<std::size_t>(dims->front().size));
  }
  return result;
}

Elements gather_elements(const TypeQuery& query) {
  const auto* list = elements_at(query, 0);
  const Known* which = optional_input(query, 1);
  const bool indexed = list != nullptr && which != nullptr && which->tensor &&
                       which->tensor->rank() <= 1 && input_type(query, 0).dims &&
                       input_type(query, 0).dims->size() == 1;
  if (!indexed) return std::nullopt;
  std::vector<Element> result;
  const auto size = static_cast<std::int64_t>(list->size());
  for (std::int64_t index : which->tensor->to_integers()) {
    if (index < 0) index += size;
    if (index < 0 || index >= size) contradict(query.node, "an index lies outside its input");
    result.push_back((*list)[static_cast<std::size_t>(index)]);
  }
  return result;
}

Elements slice_elements(const TypeQuery& query) {
  const auto* list = elements_at(query, 0);
  const auto axes = integers(query, "axes", 3);
  const auto steps = integers(query, "", 4);
  const auto starts = integers(query, "starts", 1);
  const auto ends = integers(query, "ends", 2);
  const auto dims = input_type(query, 0).dims;
  if (list == nullptr || !axes || !steps || !starts || !ends || !dims || dims->size() != 1) {
    return std::nullopt;
  }
  const auto arguments = completed(query.node, {*starts, *ends, *axes, *steps}, 1);
  if (arguments.axes.size() != 1) return std::nullopt;
  const AxisSlice part = slice_of(static_cast<std::int64_t>(list->size()), arguments.starts[0],
                                  arguments.ends[0], arguments.steps[0]);
  std::vector<Element> result;
  for (std::int64_t k = 0; k < part.count; ++k) {
    result.push_back((*list)[static_cast<std::size_t>(part.first + k * part.step)]);
  }
  return result;
}

Elements shape_elements(const TypeQuery& query) {
  const auto dims = input_type(query, 0).dims;
  if (!dims) return std::nullopt;
  const ShapeRange part = shape_range(query.node, dims->size());
  std::vector<Element> result;
  for (std::size_t d = part.begin; d < part.end; ++d) result.push_back(element_of((*dims)[d]));
  return result;
}

Elements where_elements(const TypeQuery& query) {
  const auto* condition = elements_at(query, 0);
  const auto* a = elements_at(query, 1);
  const auto* b = elements_at(query, 2);
  if (condition == nullptr || a == nullptr || b == nullptr) return std::nullopt;
  const std::size_t count = std::max({condition->size(), a->size(), b->size()});
  const auto at = [&](const std::vector<Element>& list, std::size_t i) {
    return list.size() == count ? list[i] : list.size() == 1 ? list[0] : Element{};
  };
  std::vector<Element> result;
  for (std::size_t i = 0; i < count; ++i) {
    const Element chosen = at(*condition, i);
    if (!chosen.constant()) {
      result.push_back(at(*a, i) == at(*b, i) ? at(*a, i) : Element{});
    } else {
      result.push_back(chosen.offset != 0 ? at(*a, i) : at(*b, i));
    }
  }
  return result;
}

}  // namespace yoloq::graph::detail
