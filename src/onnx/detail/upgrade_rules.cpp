// SPDX-License-Identifier: Apache-2.0
#include "onnx/detail/upgrade_rules.h"

#include <algorithm>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/half.h"

namespace yoloq::onnx::detail {

namespace {

using graph::Node;

using Integers = std::vector<std::int64_t>;

/// Adds a constant that is called "<output>/<role>" or so.
std::string add_constant(Graph& graph, const Node& node, const std::string& role, Tensor value) {
  std::string name = graph.fresh_value_name(node.output() + "/" + role);
  graph.constants.emplace(name, std::move(value));
  return name;
}

/// Makes `name` input number `index`; inputs between are absent.
void set_input(Node& node, std::size_t index, std::string name) {
  if (node.inputs.size() <= index) node.inputs.resize(index + 1);
  node.inputs[index] = std::move(name);
}

/// The attribute, which is then gone; empty if it was absent.
Integers take_integers(Node& node, const std::string& key) {
  Integers values = node.integers(key);
  node.attributes.erase(key);
  return values;
}

void require_inputs(const Node& node, std::size_t count) {
  if (node.inputs.size() >= count) return;
  fail(ErrorCode::corrupt_file, "it has {} inputs, expected {}", node.inputs.size(), count);
}

/// Moves a list of integers from an attribute to input `index`; absent stays absent.
void move_integers(Graph& graph, NodeId id, const std::string& key, std::size_t index) {
  Node& node = graph[id];
  require_inputs(node, index);
  const Integers values = take_integers(node, key);
  if (values.empty()) return;
  set_input(node, index, add_constant(graph, node, key, Tensor::list(values)));
}

/// The element type of `value`: that which the file gives, or that of the value it comes from by
/// nodes whose results have the type of their first input, as those before a Clip or Pad have.
DType real_type(const Graph& graph, std::string value) {
  for (std::size_t steps = 0; steps <= graph.node_count(); ++steps) {
    const DType known = graph.type_of(value).dtype;
    if (known != DType::undefined) return known;
    const auto producer = graph.producer(value);
    if (!producer) break;
    const Node& node = graph[*producer];
    if (node.op == "Cast") return static_cast<DType>(node.integer("to", 0));
    if (node.op == "DequantizeLinear") return DType::f32;
    value = input_or_empty(node, 0);
  }
  fail(ErrorCode::unsupported, "the element type of '{}' is not known", value);
}

Tensor real_scalar(DType type, float value) {
  if (type == DType::f32) return Tensor::scalar(value);
  if (type == DType::f64) return Tensor::scalar(static_cast<double>(value));
  if (type == DType::f16) {
    const std::uint16_t half = float_to_half(value);
    return {type, {}, std::as_bytes(std::span(&half, 1))};
  }
  fail(ErrorCode::unsupported, "its input is {}, expected a real type", name_of(type));
}

/// Moves a number from an attribute to input `index`, in the element type of input 0.
void move_real(Graph& graph, NodeId id, const std::string& key, std::size_t index) {
  Node& node = graph[id];
  require_inputs(node, 1);
  if (!node.attributes.contains(key)) return;
  const DType type = real_type(graph, node.inputs[0]);
  Tensor value = real_scalar(type, node.real(key, 0.0f));
  node.attributes.erase(key);
  set_input(node, index, add_constant(graph, node, key, std::move(value)));
}

bool is_last_axis(const Graph& graph, const Node& node, std::int64_t axis) {
  if (axis == -1) return true;
  const auto dims = graph.type_of(node.inputs[0]).dims;
  return dims && axis == static_cast<std::int64_t>(dims->size()) - 1;
}

}  // namespace

void move_axes(Graph& graph, NodeId id) {
  const bool needed = graph[id].op == "Unsqueeze" && graph[id].integers("axes").empty();
  if (needed) fail(ErrorCode::corrupt_file, "it has no axes");
  move_integers(graph, id, "axes", 1);
}

void move_split(Graph& graph, NodeId id) { move_integers(graph, id, "split", 1); }

void count_split_outputs(Graph& graph, NodeId id) {
  Node& node = graph[id];
  if (!input_or_empty(node, 1).empty()) return;
  node.attributes["num_outputs"] = static_cast<std::int64_t>(node.outputs.size());
}

void move_slice(Graph& graph, NodeId id) {
  Node& node = graph[id];
  require_inputs(node, 1);
  Integers axes = take_integers(node, "axes");
  const Integers starts = take_integers(node, "starts");
  const Integers ends = take_integers(node, "ends");
  if (axes.empty()) {
    axes.resize(starts.size());
    std::iota(axes.begin(), axes.end(), 0);
  }
  if (starts.empty() || starts.size() != ends.size() || starts.size() != axes.size()) {
    fail(ErrorCode::corrupt_file, "{} starts, {} ends, {} axes", starts.size(), ends.size(),
         axes.size());
  }
  set_input(node, 1, add_constant(graph, node, "starts", Tensor::list(starts)));
  set_input(node, 2, add_constant(graph, node, "ends", Tensor::list(ends)));
  set_input(node, 3, add_constant(graph, node, "axes", Tensor::list(axes)));
}

void move_top_k(Graph& graph, NodeId id) {
  Node& node = graph[id];
  require_inputs(node, 1);
  if (!node.attributes.contains("k")) fail(ErrorCode::corrupt_file, "it has no k");
  const Integers k{node.integer("k", 0)};
  node.attributes.erase("k");
  set_input(node, 1, add_constant(graph, node, "k", Tensor::list(k)));
}

void move_clip_bounds(Graph& graph, NodeId id) {
  move_real(graph, id, "min", 1);
  move_real(graph, id, "max", 2);
}

void move_pads(Graph& graph, NodeId id) {
  if (graph[id].integers("pads").empty()) fail(ErrorCode::corrupt_file, "it has no pads");
  move_integers(graph, id, "pads", 1);
  move_real(graph, id, "value", 2);
}

void move_dropout_ratio(Graph& graph, NodeId id) {
  Node& node = graph[id];
  require_inputs(node, 1);
  if (!node.attributes.contains("ratio")) return;
  Tensor ratio = Tensor::scalar(node.real("ratio", 0.5f));
  node.attributes.erase("ratio");
  set_input(node, 1, add_constant(graph, node, "ratio", std::move(ratio)));
}

void rename_upsample(Graph& graph, NodeId id) {
  require_inputs(graph[id], 2);
  graph[id].op = "Resize";
}

void spell_out_resize(Graph& graph, NodeId id) {
  Node& node = graph[id];
  require_inputs(node, 2);
  if (node.text("mode", "nearest") == "nearest") {
    const Tensor* scales = graph.constant(node.inputs[1]);
    const bool grows = scales != nullptr &&
                       std::ranges::all_of(scales->to_floats(), [](float s) { return s >= 1.0f; });
    if (!grows) {
      fail(ErrorCode::unsupported, "it may shrink by nearest neighbours, which runtimes do {}",
           "differently before opset 11");
    }
    node.attributes["nearest_mode"] = std::string("floor");
  }
  node.attributes["coordinate_transformation_mode"] = std::string("asymmetric");
  node.inputs.insert(node.inputs.begin() + 1, std::string());
}

void check_resize_mode(Graph& graph, NodeId id) {
  if (graph[id].text("coordinate_transformation_mode", "") != "tf_half_pixel_for_nn") return;
  fail(ErrorCode::unsupported, "its mode tf_half_pixel_for_nn is gone since opset 13");
}

void rename_scatter(Graph& graph, NodeId id) { graph[id].op = "ScatterElements"; }

void flatten_softmax(Graph& graph, NodeId id) {
  require_inputs(graph[id], 1);
  const std::int64_t axis = graph[id].integer("axis", 1);
  graph[id].attributes["axis"] = std::int64_t{-1};
  if (is_last_axis(graph, graph[id], axis)) return;

  const Node node = graph[id];
  const auto value = [&](const char* role) {
    return graph.fresh_value_name(node.output() + "/" + role);
  };
  const std::string flat = value("flat");
  const std::string shape = value("shape");
  const std::string result = value("result");
  graph.insert_before(id, {.op = "Flatten",
                           .inputs = {node.inputs[0]},
                           .outputs = {flat},
                           .attributes = {{"axis", axis}}});
  graph.insert_before(id, {.op = "Shape", .inputs = {node.inputs[0]}, .outputs = {shape}});
  graph[id].inputs[0] = flat;
  graph[id].outputs[0] = result;
  graph.insert_after(id, {.op = "Reshape", .inputs = {result, shape}, .outputs = {node.output()}});
}

void refuse_training_outputs(Graph& graph, NodeId id) {
  auto& outputs = graph[id].outputs;
  const auto wanted = [](const std::string& name) { return !name.empty(); };
  if (std::any_of(outputs.begin() + 1, outputs.end(), wanted)) {
    fail(ErrorCode::unsupported, "it is in training mode: export the model for inference");
  }
  outputs.resize(1);
}

void spell_out_roi_align(Graph& graph, NodeId id) {
  graph[id].attributes.try_emplace("coordinate_transformation_mode",
                                   std::string("output_half_pixel"));
}

}  // namespace yoloq::onnx::detail
