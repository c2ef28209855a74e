// SPDX-License-Identifier: Apache-2.0
#include "pipeline/detail/node_runner.h"

#include <algorithm>
#include <utility>

namespace yoloq::pipeline::detail {

graph::Port fixed_port(std::string name, const Shape& shape) {
  graph::Dims dims;
  for (const std::int64_t size : shape) dims.push_back(graph::Dim::fixed(size));
  return {std::move(name), {DType::f32, std::move(dims)}};
}

NodeRunner::NodeRunner(const graph::Graph& model, const graph::Node& node,
                       std::vector<graph::Port> ports, int threads)
    : ports_(std::move(ports)) {
  graph::Graph alone;
  alone.opsets = model.opsets;
  alone.inputs = ports_;
  for (const std::string& value : node.inputs) {
    if (const Tensor* constant = model.constant(value)) alone.constants[value] = *constant;
  }
  alone.outputs = {{node.output(), {DType::f32, std::nullopt}}};
  alone.append(node);
  engine_ = runtime::compile(alone, {.mode = runtime::Mode::latency, .threads = threads});
  request_ = engine_->make_request();
}

void NodeRunner::run(const std::map<std::string, const std::vector<float>*>& inputs,
                     std::vector<float>& output) {
  for (std::size_t i = 0; i < ports_.size(); ++i) {
    const auto target = request_->input(i).values<float>();
    std::ranges::copy(*inputs.at(ports_[i].name), target.begin());
  }
  request_->run();
  const runtime::TensorView result = request_->output(0);
  output_shape_ = result.shape;
  const auto values = result.values<float>();
  output.assign(values.begin(), values.end());
}

}  // namespace yoloq::pipeline::detail
