// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string>

#include "onnx/detail/proto.h"

namespace yoloq::onnx::detail {

/// Adds to `captured` the values that the subgraphs of `attribute`, at any depth, read from
/// outside.
void add_captures(const ::onnx::AttributeProto& attribute, std::set<std::string>& captured);

}  // namespace yoloq::onnx::detail
