// SPDX-License-Identifier: Apache-2.0
#include <map>
#include <string_view>

#include "core/error.h"
#include "core/file.h"
#include "onnx/detail/node_proto.h"
#include "onnx/detail/tensor_proto.h"
#include "onnx/detail/value_info.h"
#include "onnx/model_file.h"

namespace yoloq::onnx {

namespace {

using graph::Graph;

/// Messages of one kind that parse kept because they say more than the graph, by name.
template <typename Message>
class Kept {
 public:
  explicit Kept(google::protobuf::RepeatedPtrField<Message>* messages) {
    messages_.Swap(messages);
    for (const Message& message : messages_) by_name_.emplace(message.name(), &message);
  }

  const Message* find(std::string_view name) const {
    const auto found = by_name_.find(name);
    return found == by_name_.end() ? nullptr : found->second;
  }

 private:
  google::protobuf::RepeatedPtrField<Message> messages_;
  std::map<std::string_view, const Message*> by_name_;
};

using KeptInfos = Kept<::onnx::ValueInfoProto>;

/// The kept message if it still says what the graph says, else one made of `type`.
::onnx::ValueInfoProto info_of(const std::string& name, const graph::ValueType& type,
                               const KeptInfos& kept) {
  const auto* info = kept.find(name);
  return info != nullptr && detail::to_value_type(*info) == type
             ? *info
             : detail::to_value_info(name, type);
}

void put_header(const Graph& graph, ::onnx::ModelProto& model) {
  model.set_ir_version(graph.ir_version);
  if (!graph.producer_name.empty()) model.set_producer_name(graph.producer_name);
  if (!graph.producer_version.empty()) model.set_producer_version(graph.producer_version);
  if (!graph.doc.empty()) model.set_doc_string(graph.doc);
  for (const auto& [domain, version] : graph.opsets) {
    auto* opset = model.add_opset_import();
    opset->set_domain(domain);
    opset->set_version(version);
  }
  for (const auto& [key, value] : graph.metadata) {
    auto* entry = model.add_metadata_props();
    entry->set_key(key);
    entry->set_value(value);
  }
}

void put_constant(const std::string& name, const Tensor& tensor, ::onnx::GraphProto& proto) {
  if (tensor.dtype() != DType::opaque) {
    auto* message = proto.add_initializer();
    message->set_name(name);
    return detail::put_tensor(tensor, *message);
  }
  ::onnx::AttributeProto holder = detail::unwrap(tensor);
  if (holder.has_t()) {
    holder.mutable_t()->set_name(name);
    *proto.add_initializer() = std::move(*holder.mutable_t());
  } else {
    holder.mutable_sparse_tensor()->mutable_values()->set_name(name);
    *proto.add_sparse_initializer() = std::move(*holder.mutable_sparse_tensor());
  }
}

void put_constants(const Graph& graph, ::onnx::GraphProto& proto) {
  const Kept<::onnx::TensorProto> kept(proto.mutable_initializer());
  for (const auto& [name, tensor] : graph.constants) {
    try {
      put_constant(name, tensor, proto);
    } catch (const Error& error) {
      throw error.within("constant '" + name + "'");
    }
    const auto* extras = kept.find(name);
    if (extras != nullptr && tensor.dtype() != DType::opaque) {
      proto.mutable_initializer()->rbegin()->MergeFrom(*extras);
    }
  }
}

void put_values(const Graph& graph, ::onnx::GraphProto& proto) {
  const KeptInfos inputs(proto.mutable_input());
  const KeptInfos outputs(proto.mutable_output());
  const KeptInfos values(proto.mutable_value_info());
  for (const graph::Port& port : graph.inputs) {
    *proto.add_input() = info_of(port.name, port.type, inputs);
  }
  for (const graph::Port& port : graph.outputs) {
    *proto.add_output() = info_of(port.name, port.type, outputs);
  }
  for (const auto& [name, type] : graph.value_types) {
    *proto.add_value_info() = info_of(name, type, values);
  }
}

/// Fails before gigabytes are copied; encode checks the exact size.
void require_size(const Graph& graph) {
  std::size_t total = 0;
  for (const auto& [name, tensor] : graph.constants) total += tensor.bytes().size();
  if (total <= detail::kMaxBytes) return;
  fail(ErrorCode::unsupported, "the constants take {} bytes, more than the 2 GiB of an ONNX file",
       total);
}

}  // namespace

std::string serialize(const Graph& graph) {
  require_size(graph);
  ::onnx::ModelProto model;
  detail::decode(graph.opaque, model, "the opaque part of a graph");
  put_header(graph, model);

  ::onnx::GraphProto& proto = *model.mutable_graph();
  proto.set_name(graph.name);
  put_values(graph, proto);
  put_constants(graph, proto);
  for (const graph::NodeId id : graph.nodes()) {
    *proto.add_node() = detail::to_node_proto(graph[id]);
  }
  return detail::encode(model);
}

void write_model(const Graph& graph, const std::filesystem::path& path) {
  write_file(path, serialize(graph));
}

}  // namespace yoloq::onnx
