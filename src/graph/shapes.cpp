// SPDX-License-Identifier: Apache-2.0
#include "graph/shapes.h"

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "graph/detail/dims.h"

namespace yoloq::graph {

namespace {

/// Values up to this many elements are computed on the way: shapes, and no weights.
constexpr std::size_t kSmall = 1024;

std::optional<std::size_t> fixed_count(const ValueType& type) {
  if (!type.dims) return std::nullopt;
  std::size_t count = 1;
  for (const Dim& dim : *type.dims) {
    const auto size = static_cast<std::size_t>(dim.size);
    if (!dim.known() || __builtin_mul_overflow(count, size, &count)) return std::nullopt;
  }
  return count;
}

bool is_whole_number(float value) {
  return value >= -1e6f && value <= 1e6f && value == static_cast<float>(static_cast<int>(value));
}

std::optional<std::vector<Element>> elements_of(const Tensor& tensor) {
  if (tensor.rank() > 1 || tensor.size() > kSmall) return std::nullopt;
  std::vector<Element> elements;
  if (tensor.dtype() == DType::f32) {
    for (const float value : tensor.values<float>()) {
      if (!is_whole_number(value)) return std::nullopt;
      elements.push_back(Element::number(static_cast<std::int64_t>(value)));
    }
    return elements;
  }
  if (tensor.dtype() != DType::i64 && tensor.dtype() != DType::i32) return std::nullopt;
  for (const std::int64_t value : tensor.to_integers()) elements.push_back(Element::number(value));
  return elements;
}

Known known_tensor(const Tensor& tensor) {
  return {{tensor.dtype(), detail::fixed_dims(tensor.shape())}, tensor, elements_of(tensor)};
}

/// What the graph says of the outputs of an operator that has no rule.
ValueType declared(const Graph& graph, const std::string& value) {
  const auto found = graph.value_types.find(value);
  if (found != graph.value_types.end()) return found->second;
  const auto port = std::ranges::find(graph.outputs, value, &Port::name);
  return port == graph.outputs.end() ? ValueType{} : port->type;
}

/// A newly found type over one that was declared, which fills what was not found.
ValueType refined(const ValueType& found, const ValueType& declared) {
  ValueType result = found;
  if (result.dtype == DType::undefined) result.dtype = declared.dtype;
  if (!result.dims) result.dims = declared.dims;
  const bool alike = declared.dims && result.dims->size() == declared.dims->size();
  for (std::size_t d = 0; alike && d < result.dims->size(); ++d) {
    Dim& dim = (*result.dims)[d];
    const Dim& other = (*declared.dims)[d];
    const bool named = !dim.known() && !other.known() && !other.symbol.empty();
    if (dim == Dim{} || named) dim = other;
  }
  return result;
}

}  // namespace

Knowledge::Knowledge(const Graph& graph) {
  for (const Port& input : graph.inputs) known_[input.name].type = input.type;
  for (const auto& [name, tensor] : graph.constants) known_[name] = known_tensor(tensor);
  for (const NodeId id : graph.nodes()) {
    const Node& node = graph[id];
    try {
      learn(graph, node);
    } catch (const Error& error) {
      throw error.within("while inferring shapes at node '" + node.name + "'");
    }
  }
}

const Known& Knowledge::of(std::string_view value) const {
  static const Known kNothing;
  const auto found = known_.find(std::string(value));
  return found == known_.end() ? kNothing : found->second;
}

void Knowledge::learn(const Graph& graph, const Node& node) {
  const Op* op = find_op(node);
  if (op == nullptr) {
    for (const auto& output : node.outputs) known_[output].type = declared(graph, output);
    return;
  }
  TypeQuery query{node, graph.opset(), {}};
  for (const auto& input : node.inputs) {
    query.inputs.push_back(input.empty() ? nullptr : &known_[input]);
  }
  learn_outputs(*op, query);
  evaluate(*op, query);
}

void Knowledge::learn_outputs(const Op& op, const TypeQuery& query) {
  const auto types = op.types(query);
  std::optional<std::vector<Element>> elements;
  if (op.elements != nullptr) elements = op.elements(query);
  for (std::size_t i = 0; i < query.node.outputs.size(); ++i) {
    Known& known = known_[query.node.outputs[i]];
    if (i < types.size()) known.type = types[i];
    const bool flat = known.type.dims && known.type.dims->size() <= 1;
    if (i == 0 && elements && flat && elements->size() <= kSmall) known.elements = elements;
  }
}

void Knowledge::evaluate(const Op& op, const TypeQuery& query) {
  const bool is_codec = op.name == "QuantizeLinear" || op.name == "DequantizeLinear";
  if (is_codec || query.node.outputs.size() != 1) return;
  Known& output = known_[query.node.output()];
  if (const auto count = fixed_count(output.type); !count || *count > kSmall) return;

  Call call{query.node, query.opset, {}};
  const bool shape_only = op.name == "Shape" || op.name == "Size";
  Tensor stand_in;
  for (const Known* known : query.inputs) {
    if (known == nullptr) {
      call.inputs.push_back(nullptr);
    } else if (shape_only) {
      if (!fixed_count(known->type)) return;
      break;
    } else if (known->tensor && known->tensor->size() <= kSmall) {
      call.inputs.push_back(&*known->tensor);
    } else {
      return;
    }
  }
  if (shape_only) {
    // The sizes are all that is read: a tensor without elements of that shape cannot be had.
    std::vector<std::int64_t> sizes;
    if (!output.elements) return;
    for (const Element& element : *output.elements) sizes.push_back(element.offset);
    output.tensor = Tensor::list(sizes);
    return;
  }
  const auto results = compute(op, call);
  if (!results.empty()) output = known_tensor(results.front());
}

void infer_shapes(Graph& graph) {
  const Knowledge knowledge(graph);
  for (const NodeId id : graph.nodes()) {
    for (const auto& output : graph[id].outputs) {
      if (output.empty() || graph.is_output(output)) continue;
      const ValueType type = refined(knowledge.type_of(output), declared(graph, output));
      if (type != ValueType{}) graph.value_types[output] = type;
    }
  }
  for (Port& output : graph.outputs) {
    output.type = refined(knowledge.type_of(output.name), output.type);
  }
}

}  // namespace yoloq::graph
