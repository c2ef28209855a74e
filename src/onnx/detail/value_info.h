// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "graph/graph.h"
#include "onnx/detail/proto.h"

namespace yoloq::onnx::detail {

/// Element type and dimensions of a tensor value; nothing is known of one of another kind
/// (sequence, map, optional).
///
/// @throws Error(corrupt_file) if a dimension is negative.
graph::ValueType to_value_type(const ::onnx::ValueInfoProto& info);

/// The message that says `type` and no more. Nothing known: no type at all.
::onnx::ValueInfoProto to_value_info(const std::string& name, const graph::ValueType& type);

/// True if `info` says more than its ValueType: doc strings, denotations, other kinds of type.
bool says_more(const ::onnx::ValueInfoProto& info);

}  // namespace yoloq::onnx::detail
