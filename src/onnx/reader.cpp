// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/file.h"
#include "core/hash.h"
#include "onnx/detail/execution_order.h"
#include "onnx/detail/external_data.h"
#include "onnx/detail/node_proto.h"
#include "onnx/detail/tensor_proto.h"
#include "onnx/detail/value_info.h"
#include "onnx/model_file.h"

namespace yoloq::onnx {

namespace {

using graph::Graph;

using ValueInfos = google::protobuf::RepeatedPtrField<::onnx::ValueInfoProto>;

/// Runs `work` with "<what> '<name>'" in front of its errors.
template <typename Work>
auto within(std::string_view what, const std::string& name, Work work) {
  detail::require_text(name, what);
  try {
    return work();
  } catch (const Error& error) {
    throw error.within(fmt::format("{} '{}'", what, name));
  }
}

void take_header(::onnx::ModelProto& model, Graph& graph) {
  graph.ir_version = model.ir_version();
  graph.producer_name = model.producer_name();
  graph.producer_version = model.producer_version();
  graph.doc = model.doc_string();
  graph.opsets.clear();
  for (const auto& opset : model.opset_import()) {
    detail::require_text(opset.domain(), "the operator set");
    const std::string domain = opset.domain() == "ai.onnx" ? "" : opset.domain();
    const auto [entry, is_new] = graph.opsets.emplace(domain, opset.version());
    if (is_new || entry->second == opset.version()) continue;
    fail(ErrorCode::corrupt_file, "versions {} and {} of the operator set '{}'", entry->second,
         opset.version(), domain);
  }
  for (const auto& entry : model.metadata_props()) {
    const auto [kept, is_new] = graph.metadata.emplace(entry.key(), entry.value());
    if (is_new || kept->second == entry.value()) continue;
    fail(ErrorCode::corrupt_file, "the metadata has two values for '{}'", entry.key());
  }
  model.clear_ir_version();
  model.clear_producer_name();
  model.clear_producer_version();
  model.clear_doc_string();
  model.clear_opset_import();
  model.clear_metadata_props();
}

/// Reads ports and leaves in `infos` those that say more than a Port does.
std::vector<graph::Port> take_ports(ValueInfos& infos, std::string_view what) {
  std::vector<graph::Port> ports;
  ValueInfos left;
  std::set<std::string> names;
  for (auto& info : infos) {
    if (info.name().empty()) fail(ErrorCode::corrupt_file, "an {} has no name", what);
    if (!names.insert(info.name()).second) {
      fail(ErrorCode::corrupt_file, "the {} '{}' is there twice", what, info.name());
    }
    ports.push_back(
        {info.name(), within(what, info.name(), [&] { return detail::to_value_type(info); })});
    if (detail::says_more(info)) *left.Add() = std::move(info);
  }
  infos.Swap(&left);
  return ports;
}

/// The same in the order of their names, in which a Graph holds and writes them.
template <typename Message>
void sort_by_name(google::protobuf::RepeatedPtrField<Message>& messages) {
  std::stable_sort(messages.pointer_begin(), messages.pointer_end(),
                   [](const Message* a, const Message* b) { return a->name() < b->name(); });
}

void take_value_types(ValueInfos& infos, Graph& graph) {
  ValueInfos left;
  for (auto& info : infos) {
    auto type = within("value", info.name(), [&] { return detail::to_value_type(info); });
    const auto [entry, is_new] = graph.value_types.emplace(info.name(), type);
    if (!is_new && entry->second != type) {
      fail(ErrorCode::corrupt_file, "the value '{}' has two types", info.name());
    }
    if (is_new && detail::says_more(info)) *left.Add() = std::move(info);
  }
  sort_by_name(left);
  infos.Swap(&left);
}

void add_constant(Graph& graph, const std::string& name, Tensor tensor) {
  if (name.empty()) fail(ErrorCode::corrupt_file, "an initializer has no name");
  if (graph.constants.emplace(name, std::move(tensor)).second) return;
  fail(ErrorCode::corrupt_file, "the initializer '{}' is there twice", name);
}

/// Moves the initializers into `graph`; doc strings and later fields stay, by name, in `proto`.
void take_constants(::onnx::GraphProto& proto, Graph& graph) {
  google::protobuf::RepeatedPtrField<::onnx::TensorProto> left;
  for (auto& tensor : *proto.mutable_initializer()) {
    const std::string name = tensor.name();
    auto taken = within("initializer", name, [&] { return detail::take_tensor(tensor); });
    if (!taken) {
      taken = within("initializer", name, [&] { return detail::wrap(std::move(tensor)); });
      tensor.Clear();
    }
    add_constant(graph, name, *std::move(taken));
    tensor.clear_name();
    if (tensor.ByteSizeLong() == 0) continue;
    tensor.set_name(name);
    *left.Add() = std::move(tensor);
  }
  sort_by_name(left);
  proto.mutable_initializer()->Swap(&left);

  for (auto& sparse : *proto.mutable_sparse_initializer()) {
    const std::string name = sparse.values().name();
    add_constant(graph, name, within("sparse initializer", name, [&] {
                   return detail::wrap(std::move(sparse));
                 }));
  }
  proto.clear_sparse_initializer();
}

void take_graph(::onnx::GraphProto& proto, Graph& graph) {
  graph.name = proto.name();
  detail::require_text(graph.name, "the graph name");
  graph.inputs = take_ports(*proto.mutable_input(), "input");
  graph.outputs = take_ports(*proto.mutable_output(), "output");
  take_value_types(*proto.mutable_value_info(), graph);
  take_constants(proto, graph);

  std::vector<graph::Node> nodes;
  for (auto& node : *proto.mutable_node()) nodes.push_back(detail::take_node(std::move(node)));
  for (graph::Node& node : detail::in_execution_order(graph, std::move(nodes))) {
    graph.append(std::move(node));
  }
  proto.clear_name();
  proto.clear_node();
}

::onnx::ModelProto decoded(std::string_view bytes) {
  ::onnx::ModelProto model;
  detail::decode(bytes, model, "an ONNX model");
  if (!model.has_graph()) fail(ErrorCode::corrupt_file, "this is not an ONNX model: no graph");
  return model;
}

/// Where the external data of a model file is.
std::filesystem::path folder_of(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path() : ".";
}

}  // namespace

Graph parse(std::string_view bytes, const std::filesystem::path& folder) {
  ::onnx::ModelProto model = decoded(bytes);
  detail::load_external_data(model, folder);

  Graph graph;
  take_header(model, graph);
  take_graph(*model.mutable_graph(), graph);
  if (model.graph().ByteSizeLong() == 0) model.clear_graph();
  graph.opaque = detail::encode(model);
  return graph;
}

Graph read_model(const std::filesystem::path& path) {
  const std::string bytes = read_file(path);
  try {
    return parse(bytes, folder_of(path));
  } catch (const Error& error) {
    throw error.within(path.string());
  }
}

std::string hash_of_file(const std::filesystem::path& path) {
  const std::string bytes = read_file(path);
  Hasher hasher;
  hasher.add(bytes);
  try {
    ::onnx::ModelProto model = decoded(bytes);
    for (const std::filesystem::path& file : detail::load_external_data(model, folder_of(path))) {
      hasher.add(read_file(file));
    }
  } catch (const Error& error) {
    throw error.within(path.string());
  }
  return hasher.hex();
}

}  // namespace yoloq::onnx
