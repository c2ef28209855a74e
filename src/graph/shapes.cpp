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

/// The tensor of known elements, for the types that sizes are computed in.
std::optional<Tensor> tensor_of(const Known& known) {
  std::vector<std::int64_t> values;
  for (const Element& element : *known.elements) values.push_back(element.offset);
  const Shape shape = known.type.dims->empty() ? Shape{} : Shape{std::ssize(values)};
  if (known.type.dtype == DType::i64) return Tensor::of<std::int64_t>(shape, values);
  if (known.type.dtype != DType::f32) return std::nullopt;
  return Tensor::of<float>(shape, std::vector<float>(values.begin(), values.end()));
}

Known known_tensor(const Tensor& tensor) {
  return {{tensor.dtype(), detail::fixed_dims(tensor.shape())}, tensor, elements_of(tensor)};
}

ValueType declared(const Graph& graph, const std::string& value) {
  const auto found = graph.value_types.find(value);
  if (found != graph.value_types.end()) return found->second;
  const auto port = std::ranges::find(graph.outputs, value, &Port::name);
  return port == graph.outputs.end() ? ValueType{} : port->type;
}

/// What the graph says of the outputs of an operator that has no rule. Not the symbols: exporters
/// give one to sizes that differ.
ValueType declared_sizes(const Graph& graph, const std::string& value) {
  ValueType type = declared(graph, value);
  if (type.dims) std::ranges::for_each(*type.dims, [](Dim& dim) { dim.symbol.clear(); });
  return type;
}

/// A newly found type, in which what was declared fills what was not found.
ValueType refined(const ValueType& found, const ValueType& declared) {
  ValueType result = found;
  if (result.dtype == DType::undefined) result.dtype = declared.dtype;
  if (!result.dims) result.dims = declared.dims;
  const bool alike = declared.dims && result.dims->size() == declared.dims->size();
  for (std::size_t d = 0; alike && d < result.dims->size(); ++d) {
    if ((*result.dims)[d] == Dim{}) (*result.dims)[d] = (*declared.dims)[d];
  }
  return result;
}

/// The same for an output of the graph, whose declared symbols are part of its interface.
ValueType refined_output(const ValueType& found, const ValueType& declared) {
  ValueType result = refined(found, declared);
  const bool alike = declared.dims && result.dims->size() == declared.dims->size();
  for (std::size_t d = 0; alike && d < result.dims->size(); ++d) {
    const Dim& name = (*declared.dims)[d];
    if (!(*result.dims)[d].known() && !name.symbol.empty()) (*result.dims)[d] = name;
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
    for (const auto& output : node.outputs) known_[output].type = declared_sizes(graph, output);
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
    const bool complete = i == 0 && elements && fixed_count(known.type) == elements->size();
    if (flat && complete && elements->size() <= kSmall) known.elements = elements;
  }
}

void Knowledge::evaluate(const Op& op, const TypeQuery& query) {
  const bool is_codec = op.name == "QuantizeLinear" || op.name == "DequantizeLinear";
  if (is_codec || query.node.outputs.size() != 1) return;
  Known& output = known_[query.node.output()];
  if (output.elements && std::ranges::all_of(*output.elements, &Element::constant)) {
    output.tensor = tensor_of(output);
    if (output.tensor) return;
  }
  const auto count = fixed_count(output.type);
  if (!count || *count > kSmall) return;

  Call call{query.node, query.opset, {}};
  for (const Known* known : query.inputs) {
    const bool absent = known == nullptr;
    if (!absent && (!known->tensor || known->tensor->size() > kSmall)) return;
    call.inputs.push_back(absent ? nullptr : &*known->tensor);
  }
  if (*count == 0 && size_of(output.type.dtype) > 0) {  // A kernel's work may follow other axes.
    output = known_tensor(
        Tensor(output.type.dtype, *fixed_shape(*output.type.dims), std::span<const std::byte>()));
    return;
  }
  try {
    const auto results = compute(op, call);
    if (!results.empty()) output = known_tensor(results.front());
  } catch (const Error& error) {
    if (error.code() != ErrorCode::unsupported) throw;  // No kernel: only the type is known.
  }
}

void infer_shapes(Graph& graph) {
  const Knowledge knowledge(graph);
  for (const NodeId id : graph.nodes()) {
    for (const auto& output : graph[id].outputs) {
      if (output.empty() || graph.is_output(output)) continue;
      const ValueType type = refined(knowledge.type_of(output), declared_sizes(graph, output));
      if (type != ValueType{}) graph.value_types[output] = type;
    }
  }
  for (Port& output : graph.outputs) {
    output.type = refined_output(knowledge.type_of(output.name), output.type);
  }
}

}  // namespace yoloq::graph
