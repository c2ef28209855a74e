// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/error.h"
#include "graph/verify.h"
#include "onnx/model_file.h"
#include "onnx/upgrade.h"

namespace {

void require(bool promise) {
  if (!promise) __builtin_trap();
}

}  // namespace

/// Any bytes are read or refused with an Error. What was read is well formed, and is the same
/// after it was written and read again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace yoloq;
  graph::Graph graph;
  try {
    graph = onnx::parse({reinterpret_cast<const char*>(data), size});
  } catch (const Error&) {
    return 0;
  }
  graph::verify(graph);
  const std::string bytes = onnx::serialize(graph);
  require(onnx::serialize(onnx::parse(bytes)) == bytes);
  try {
    onnx::upgrade_opset(graph, 19);
    graph::verify(graph);
    onnx::parse(onnx::serialize(graph));
  } catch (const Error&) {
    return 0;
  }
  return 0;
}
