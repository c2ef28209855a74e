// SPDX-License-Identifier: Apache-2.0
#include "transform/detail/no_ops.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

namespace yoloq::transform::detail {

using graph::Graph;
using graph::input_or_empty;
using graph::Knowledge;
using graph::Node;

namespace {

/// What a rule may look at.
struct Place {
  const Graph& graph;
  const Knowledge& knowledge;
  const Node& node;

  bool keeps_shape(std::size_t input = 0) const {
    return same_shape(knowledge.type_of(input_or_empty(node, input)),
                      knowledge.type_of(node.output()));
  }
  /// The whole constant behind input `index`, as floats; empty if it is none.
  std::vector<float> constant(std::size_t index) const {
    const auto& tensor = knowledge.of(input_or_empty(node, index)).tensor;
    if (!tensor || tensor->dtype() == DType::string || size_of(tensor->dtype()) == 0) return {};
    return tensor->to_floats();
  }
};

using Answer = std::optional<std::size_t>;

Answer first_if(bool condition) { return condition ? Answer(0) : std::nullopt; }

Answer always(const Place&) { return 0; }

Answer if_shape_stays(const Place& place) { return first_if(place.keeps_shape()); }

Answer if_alone(const Place& place) { return first_if(place.node.inputs.size() == 1); }

Answer if_one_part(const Place& place) { return first_if(place.node.outputs.size() == 1); }

Answer dropout(const Place& place) {
  const auto& outputs = place.node.outputs;
  const bool mask =
      outputs.size() > 1 && !outputs[1].empty() && place.graph.readers(outputs[1]) > 0;
  const auto training = place.constant(2);
  const bool inference =
      input_or_empty(place.node, 2).empty() || (training.size() == 1 && training[0] == 0.0f);
  return first_if(!mask && inference);
}

Answer cast(const Place& place) {
  const DType from = place.knowledge.type_of(input_or_empty(place.node, 0)).dtype;
  const auto to = static_cast<DType>(place.node.integer("to", 0));
  return first_if(from != DType::undefined && from == to);
}

Answer transpose(const Place& place) {
  const auto perm = place.node.integers("perm");
  const auto& dims = place.knowledge.type_of(input_or_empty(place.node, 0)).dims;
  if (perm.empty()) return first_if(dims && dims->size() < 2);
  return first_if(std::ranges::is_sorted(perm));
}

Answer slice(const Place& place) {
  if (place.node.attributes.contains("starts")) return first_if(place.keeps_shape());
  const auto steps = place.constant(4);
  const bool forwards = std::ranges::all_of(steps, [](float step) { return step > 0; });
  const bool known = input_or_empty(place.node, 4).empty() || !steps.empty();
  return first_if(known && forwards && place.keeps_shape());
}

Answer resize(const Place& place) {
  const std::string mode = place.node.text("mode", "nearest");
  const bool cropped =
      place.node.text("coordinate_transformation_mode", "") == "tf_crop_and_resize";
  return first_if(!cropped && (mode == "nearest" || mode == "linear") && place.keeps_shape());
}

Answer pad(const Place& place) {
  auto pads = place.node.integers("pads");
  if (pads.empty()) {
    const auto& tensor = place.knowledge.of(input_or_empty(place.node, 1)).tensor;
    if (!tensor) return std::nullopt;
    pads = tensor->to_integers();
  }
  return first_if(std::ranges::all_of(pads, [](std::int64_t pad) { return pad == 0; }));
}

/// Input `side` is a constant of nothing but `neutral` and the other one keeps its shape.
bool is_neutral(const Place& place, std::size_t side, float neutral) {
  const auto values = place.constant(side);
  const auto equal = [=](float value) { return value == neutral; };
  return !values.empty() && std::ranges::all_of(values, equal) && place.keeps_shape(1 - side);
}

Answer multiply(const Place& place) {
  if (is_neutral(place, 1, 1.0f)) return 0;
  return is_neutral(place, 0, 1.0f) ? Answer(1) : std::nullopt;
}

Answer add(const Place& place) {
  if (is_neutral(place, 1, 0.0f)) return 0;
  return is_neutral(place, 0, 0.0f) ? Answer(1) : std::nullopt;
}

Answer by_one(const Place& place) { return first_if(is_neutral(place, 1, 1.0f)); }

Answer subtract(const Place& place) { return first_if(is_neutral(place, 1, 0.0f)); }

struct Rule {
  std::string_view op;
  Answer (*repeats)(const Place&);
};

constexpr Rule kRules[] = {
    {"Add", add},
    {"Cast", cast},
    {"Concat", if_alone},
    {"Div", by_one},
    {"Dropout", dropout},
    {"Expand", if_shape_stays},
    {"Flatten", if_shape_stays},
    {"Identity", always},
    {"Max", if_alone},
    {"Min", if_alone},
    {"Mul", multiply},
    {"Pad", pad},
    {"Pow", by_one},
    {"Reshape", if_shape_stays},
    {"Resize", resize},
    {"Slice", slice},
    {"Split", if_one_part},
    {"Squeeze", if_shape_stays},
    {"Sub", subtract},
    {"Sum", if_alone},
    {"Transpose", transpose},
    {"Unsqueeze", if_shape_stays},
    {"Upsample", resize},
};

}  // namespace

bool same_shape(const graph::ValueType& a, const graph::ValueType& b) {
  if (!a.dims || !b.dims || a.dims->size() != b.dims->size()) return false;
  return std::ranges::equal(*a.dims, *b.dims, [](const auto& x, const auto& y) {
    return x == y && (x.known() || !x.symbol.empty());
  });
}

std::optional<std::size_t> repeated_input(const Graph& graph, const Knowledge& knowledge,
                                          const Node& node) {
  if (!node.domain.empty() || node.inputs.empty()) return std::nullopt;
  const auto rule = std::ranges::find(kRules, node.op, &Rule::op);
  if (rule == std::end(kRules)) return std::nullopt;
  return rule->repeats({graph, knowledge, node});
}

}  // namespace yoloq::transform::detail
