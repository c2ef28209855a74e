// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "graph/graph.h"
#include "onnx/detail/proto.h"

namespace yoloq::onnx::detail {

/// Takes `proto` apart. Attributes that only ONNX understands become Opaque, further fields the
/// attribute kNodeExtras; names that subgraphs read from outside are listed in Node::captured,
/// sorted.
///
/// @throws Error(corrupt_file) or Error(unsupported) naming the node and the attribute.
graph::Node take_node(::onnx::NodeProto proto);

/// @throws Error(corrupt_file) naming the node and an attribute that is not what take_node made.
::onnx::NodeProto to_node_proto(const graph::Node& node);

/// "Conv 'model.0.conv'", or with the first output if it has no name.
std::string describe(const graph::Node& node);

}  // namespace yoloq::onnx::detail
