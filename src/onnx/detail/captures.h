// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "onnx/detail/proto.h"

namespace yoloq::onnx::detail {

/// Adds to `captured` the values that the subgraphs of `attribute`, at any depth, read from
/// outside; each once, in the order they are met.
void add_captures(const ::onnx::AttributeProto& attribute, std::vector<std::string>& captured);

}  // namespace yoloq::onnx::detail
