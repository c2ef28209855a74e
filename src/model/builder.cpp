// SPDX-License-Identifier: Apache-2.0
#include "model/detail/builder.h"

#include <fmt/core.h>

#include <utility>

namespace yoloq::model::detail {

namespace {

constexpr std::int64_t kIrOfOpset18 = 8;  // ONNX: IR version 8 came with opset 15, 9 with 19.

}  // namespace

Builder::Builder(std::int64_t opset) {
  graph_.opsets[""] = opset;
  graph_.ir_version = opset < 19 ? kIrOfOpset18 : kIrOfOpset18 + 1;
  graph_.producer_name = "yoloq";
}

std::string Builder::unique(std::string name) {
  std::string candidate = name;
  for (int i = 1; !names_.insert(candidate).second; ++i) candidate = fmt::format("{}_{}", name, i);
  return candidate;
}

std::string Builder::add(Step step) {
  graph::Node node;
  node.op = std::move(step.op);
  node.name = unique(std::move(step.name));
  node.inputs = std::move(step.inputs);
  node.outputs = {step.output.empty() ? node.name : unique(std::move(step.output))};
  node.attributes = std::move(step.attributes);
  std::string output = node.outputs.front();
  graph_.append(std::move(node));
  return output;
}

std::string Builder::constant(std::string name, Tensor value) {
  name = unique(std::move(name));
  graph_.constants.emplace(name, std::move(value));
  return name;
}

}  // namespace yoloq::model::detail
