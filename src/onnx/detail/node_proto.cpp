// SPDX-License-Identifier: Apache-2.0
#include "onnx/detail/node_proto.h"

#include <fmt/format.h>

#include <map>
#include <set>
#include <string>

#include "core/error.h"
#include "onnx/detail/attribute_proto.h"
#include "onnx/detail/captures.h"
#include "onnx/model_file.h"

namespace yoloq::onnx::detail {

namespace {

using graph::Node;
using graph::Opaque;

/// The file format has two spellings of its own operators' domain.
std::string canonical_domain(const std::string& domain) {
  return domain == "ai.onnx" ? std::string() : domain;
}

/// Moves attribute by attribute into `node`; what is left of them stays in `proto`, by name.
void take_attributes(::onnx::NodeProto& proto, Node& node) {
  std::map<std::string, ::onnx::AttributeProto> left;
  std::set<std::string> captured;
  for (auto& attribute : *proto.mutable_attribute()) {
    const std::string name = attribute.name();
    try {
      require_text(name, "the name");
      if (name.empty()) fail(ErrorCode::corrupt_file, "it has no name");
      if (name == kNodeExtras) fail(ErrorCode::corrupt_file, "that is no name of an attribute");
      add_captures(attribute, captured);
      if (!node.attributes.emplace(name, take_attribute(attribute)).second) {
        fail(ErrorCode::corrupt_file, "it is there twice");
      }
    } catch (const Error& error) {
      throw error.within(fmt::format("attribute '{}'", is_text(name) ? name : "?"));
    }
    if (attribute.ByteSizeLong() == 0) continue;
    attribute.set_name(name);
    left[name] = std::move(attribute);
  }
  node.captured.assign(captured.begin(), captured.end());
  proto.clear_attribute();
  for (auto& [name, attribute] : left) *proto.add_attribute() = std::move(attribute);
}

void require_operator(const Node& node) {
  require_text(node.op, "the operator");
  require_text(node.domain, "the domain");
  if (node.op.empty()) fail(ErrorCode::corrupt_file, "it has no operator");
  for (const std::string& name : node.inputs) require_text(name, "the input");
  for (const std::string& name : node.outputs) require_text(name, "the output");
  if (node.outputs.empty()) fail(ErrorCode::unsupported, "it has no output");
}

}  // namespace

Node take_node(::onnx::NodeProto proto) {
  Node node;
  node.op = proto.op_type();
  node.domain = canonical_domain(proto.domain());
  node.name = proto.name();
  node.doc = proto.doc_string();
  node.inputs.assign(proto.input().begin(), proto.input().end());
  node.outputs.assign(proto.output().begin(), proto.output().end());
  require_text(node.name, "the node name");
  try {
    require_operator(node);
    take_attributes(proto, node);
  } catch (const Error& error) {
    throw error.within("node " + describe(node));
  }
  proto.clear_op_type();
  proto.clear_domain();
  proto.clear_name();
  proto.clear_doc_string();
  proto.clear_input();
  proto.clear_output();
  if (proto.ByteSizeLong() > 0) {
    node.attributes.emplace(std::string(kNodeExtras), Opaque{encode(proto)});
  }
  return node;
}

::onnx::NodeProto to_node_proto(const Node& node) {
  ::onnx::NodeProto extras;
  ::onnx::NodeProto proto;
  try {
    const auto kept = node.attributes.find(std::string(kNodeExtras));
    if (kept != node.attributes.end()) {
      const auto* opaque = std::get_if<Opaque>(&kept->second);
      decode(opaque != nullptr ? opaque->bytes : "", extras, "fields of a node");
    }
    const auto extra_attributes = std::move(*extras.mutable_attribute());
    extras.clear_attribute();
    proto = std::move(extras);
    for (const auto& [name, value] : node.attributes) {
      if (name == kNodeExtras) continue;
      *proto.add_attribute() = to_attribute_proto(name, value);
      for (const auto& extra : extra_attributes) {
        if (extra.name() == name) add_extras(extra, *proto.mutable_attribute()->rbegin());
      }
    }
  } catch (const Error& error) {
    throw error.within("node " + describe(node));
  }
  for (const std::string& name : node.inputs) proto.add_input(name);
  for (const std::string& name : node.outputs) proto.add_output(name);
  proto.set_op_type(node.op);
  if (!node.domain.empty()) proto.set_domain(node.domain);
  if (!node.name.empty()) proto.set_name(node.name);
  if (!node.doc.empty()) proto.set_doc_string(node.doc);
  return proto;
}

std::string describe(const Node& node) {
  const std::string& label = !node.name.empty() || node.outputs.empty() ? node.name : node.output();
  return fmt::format("{} '{}'", is_text(node.op) ? node.op : "?", is_text(label) ? label : "?");
}

}  // namespace yoloq::onnx::detail
