// SPDX-License-Identifier: Apache-2.0
#include "graph/graph.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "core/error.h"

namespace yoloq::graph {

namespace {

template <typename T>
T attribute_or(const Node& node, std::string_view key, T fallback) {
  const auto found = node.attributes.find(std::string(key));
  if (found == node.attributes.end()) return fallback;
  if (const T* value = std::get_if<T>(&found->second)) return *value;
  fail(ErrorCode::corrupt_file, "attribute '{}' of {} '{}' has another type than the operator asks",
       key, node.op, node.name);
}

}  // namespace

std::optional<Shape> fixed_shape(const Dims& dims) {
  Shape shape;
  for (const Dim& dim : dims) {
    if (!dim.known()) return std::nullopt;
    shape.push_back(dim.size);
  }
  return shape;
}

std::int64_t Node::integer(std::string_view key, std::int64_t fallback) const {
  return attribute_or(*this, key, fallback);
}

float Node::real(std::string_view key, float fallback) const {
  return attribute_or(*this, key, fallback);
}

std::string Node::text(std::string_view key, std::string_view fallback) const {
  return attribute_or(*this, key, std::string(fallback));
}

std::vector<std::int64_t> Node::integers(std::string_view key,
                                         std::vector<std::int64_t> fallback) const {
  return attribute_or(*this, key, std::move(fallback));
}

const std::string& input_or_empty(const Node& node, std::size_t index) {
  static const std::string kAbsent;
  return index < node.inputs.size() ? node.inputs[index] : kAbsent;
}

Node& Graph::operator[](NodeId id) {
  assert(contains(id));
  return nodes_.find(id)->second;
}

const Node& Graph::operator[](NodeId id) const {
  assert(contains(id));
  return nodes_.find(id)->second;
}

bool Graph::contains(NodeId id) const { return nodes_.contains(id); }

NodeId Graph::append(Node node) {
  const NodeId id{next_id_++};
  nodes_.emplace(id, std::move(node));
  order_.push_back(id);
  return id;
}

NodeId Graph::insert_before(NodeId position, Node node) {
  const NodeId id{next_id_++};
  order_.insert(std::ranges::find(order_, position), id);
  nodes_.emplace(id, std::move(node));
  return id;
}

NodeId Graph::insert_after(NodeId position, Node node) {
  const NodeId id{next_id_++};
  const auto place = std::ranges::find(order_, position);
  assert(place != order_.end());
  order_.insert(place + 1, id);
  nodes_.emplace(id, std::move(node));
  return id;
}

void Graph::erase(NodeId id) {
  std::erase(order_, id);
  nodes_.erase(id);
}

const Tensor* Graph::constant(std::string_view value) const {
  const auto found = constants.find(value);
  return found == constants.end() ? nullptr : &found->second;
}

std::optional<NodeId> Graph::producer(std::string_view value) const {
  if (value.empty()) return std::nullopt;
  for (const NodeId id : order_) {
    const auto& outputs_of = (*this)[id].outputs;
    if (std::ranges::find(outputs_of, value) != outputs_of.end()) return id;
  }
  return std::nullopt;
}

std::vector<Use> Graph::uses(std::string_view value) const {
  std::vector<Use> result;
  if (value.empty()) return result;
  for (const NodeId id : order_) {
    const Node& node = (*this)[id];
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      if (node.inputs[i] == value) result.push_back({id, i});
    }
    for (std::size_t i = 0; i < node.captured.size(); ++i) {
      if (node.captured[i] == value) result.push_back({id, node.inputs.size() + i});
    }
  }
  return result;
}

std::size_t Graph::readers(std::string_view value) const {
  const auto as_output = std::ranges::count(outputs, value, &Port::name);
  return uses(value).size() + static_cast<std::size_t>(as_output);
}

bool Graph::is_input(std::string_view value) const {
  return std::ranges::find(inputs, value, &Port::name) != inputs.end();
}

bool Graph::is_output(std::string_view value) const {
  return std::ranges::find(outputs, value, &Port::name) != outputs.end();
}

void Graph::replace_uses(std::string_view from, const std::string& to) {
  for (auto& [id, node] : nodes_) {
    std::ranges::replace(node.inputs, std::string(from), to);
  }
}

ValueType Graph::type_of(std::string_view value) const {
  const auto named = [&](const Port& port) { return port.name == value; };
  if (const auto port = std::ranges::find_if(inputs, named); port != inputs.end()) {
    return port->type;
  }
  if (const Tensor* tensor = constant(value)) {
    Dims dims;
    for (const std::int64_t size : tensor->shape()) dims.push_back(Dim::fixed(size));
    return {tensor->dtype(), dims};
  }
  if (const auto known = value_types.find(value); known != value_types.end()) return known->second;
  if (const auto port = std::ranges::find_if(outputs, named); port != outputs.end()) {
    return port->type;
  }
  return {};
}

bool Graph::has_value(std::string_view value) const {
  return is_input(value) || constant(value) != nullptr || producer(value).has_value();
}

std::string Graph::fresh_value_name(std::string_view stem) const {
  std::string candidate(stem);
  for (int number = 1; has_value(candidate); ++number) {
    candidate = std::string(stem) + "_" + std::to_string(number);
  }
  return candidate;
}

std::int64_t Graph::opset() const {
  const auto found = opsets.find("");
  return found == opsets.end() ? 1 : found->second;
}

bool operator==(const Graph& a, const Graph& b) {
  const auto same_nodes = [&] {
    return std::ranges::equal(a.order_, b.order_, [&](NodeId x, NodeId y) { return a[x] == b[y]; });
  };
  return a.name == b.name && a.inputs == b.inputs && a.outputs == b.outputs &&
         a.constants == b.constants && a.value_types == b.value_types && a.metadata == b.metadata &&
         a.opsets == b.opsets && a.ir_version == b.ir_version &&
         a.producer_name == b.producer_name && a.producer_version == b.producer_version &&
         a.doc == b.doc && a.opaque == b.opaque && same_nodes();
}

}  // namespace yoloq::graph
