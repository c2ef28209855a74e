// SPDX-License-Identifier: Apache-2.0
#include "pipeline/detail/node_runner.h"

#include <algorithm>
#include <utility>

#include "onnx/model_file.h"

namespace yoloq::pipeline::detail {

namespace {

graph::Port fixed_port(std::string name, const Shape& shape) {
  graph::Dims dims;
  for (const std::int64_t size : shape) dims.push_back(graph::Dim::fixed(size));
  return {std::move(name), {DType::f32, std::move(dims)}};
}

}  // namespace

graph::Graph node_alone(const graph::Graph& model, const graph::Node& node,
                        std::span<const Shape> shapes) {
  graph::Graph alone;
  alone.opsets = model.opsets;
  graph::Node copy = node;
  copy.name = "node";
  for (std::size_t i = 0; i < copy.outputs.size(); ++i) {
    if (copy.outputs[i].empty()) continue;
    copy.outputs[i] = "output" + std::to_string(i);
    alone.outputs.push_back({copy.outputs[i], {DType::f32, std::nullopt}});
  }
  for (std::size_t i = 0; i < copy.inputs.size(); ++i) {
    std::string& value = copy.inputs[i];
    if (value.empty()) continue;
    const Tensor* constant = model.constant(value);
    value = "input" + std::to_string(i);
    if (constant != nullptr) {
      alone.constants[value] = *constant;
    } else {
      alone.inputs.push_back(fixed_port(value, shapes[alone.inputs.size()]));
    }
  }
  alone.append(std::move(copy));
  return alone;
}

NodeRunner::NodeRunner(const graph::Graph& alone, int threads)
    : engine_(runtime::compile(alone, {.mode = runtime::Mode::latency, .threads = threads})),
      request_(engine_->make_request()) {}

void NodeRunner::run(std::span<const std::vector<float>* const> inputs,
                     std::span<std::vector<float>> outputs) {
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    std::ranges::copy(*inputs[i], request_->input(i).values<float>().begin());
  }
  request_->run();
  output_shapes_.clear();
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const runtime::TensorView result = request_->output(i);
    output_shapes_.push_back(result.shape);
    const auto values = result.values<float>();
    outputs[i].assign(values.begin(), values.end());
  }
}

NodeRunner& NodeRunners::of(const graph::Graph& alone) {
  return runners_.try_emplace(onnx::serialize(alone), alone, threads_).first->second;
}

}  // namespace yoloq::pipeline::detail
