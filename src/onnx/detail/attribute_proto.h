// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "graph/graph.h"
#include "onnx/detail/proto.h"

namespace yoloq::onnx::detail {

/// Takes the value out of `proto`; doc string, tensor name and later fields stay there.
///
/// Subgraphs, sparse tensors, types, lists of tensors, string tensors and kinds later than this
/// code become Opaque and take everything along.
///
/// @throws Error(corrupt_file) if the value contradicts the kind, or a tensor itself.
graph::Attribute take_attribute(::onnx::AttributeProto& proto);

/// @throws Error(corrupt_file) if an Opaque is not an attribute of an ONNX file.
::onnx::AttributeProto to_attribute_proto(const std::string& name, const graph::Attribute& value);

/// Adds what take_attribute left behind, as far as the value is still of the same kind.
void add_extras(::onnx::AttributeProto extras, ::onnx::AttributeProto& proto);

}  // namespace yoloq::onnx::detail
