// SPDX-License-Identifier: Apache-2.0
#include "train/onnxruntime_engine.h"

#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "runtime/oracle.h"

namespace yoloq::test {

namespace {

class OracleRequest final : public runtime::Request {
 public:
  explicit OracleRequest(const graph::Graph& graph) : graph_(graph) {}

  runtime::TensorView input(std::size_t, const Shape& shape) override {
    shape_ = shape;
    values_.assign(static_cast<std::size_t>(element_count(shape)), 0.0f);
    return view(values_, shape);
  }

  void run() override {
    heads_.clear();
    for (const Tensor& head : run_in_onnxruntime(graph_, {Tensor::of(shape_, values_)})) {
      heads_.emplace_back(head.shape(), head.to_floats());
    }
  }

  runtime::TensorView output(std::size_t index) override {
    auto& [shape, values] = heads_.at(index);
    return view(values, shape);
  }

 private:
  static runtime::TensorView view(std::vector<float>& values, const Shape& shape) {
    runtime::TensorView result;
    result.dtype = DType::f32;
    result.shape = shape;
    result.bytes = std::as_writable_bytes(std::span(values));
    return result;
  }

  const graph::Graph& graph_;
  Shape shape_;
  std::vector<float> values_;
  std::vector<std::pair<Shape, std::vector<float>>> heads_;
};

class OracleEngine final : public runtime::Engine {
 public:
  explicit OracleEngine(graph::Graph graph) : graph_(std::move(graph)) {
    for (const graph::Port& output : graph_.outputs) outputs_.push_back({.name = output.name});
  }

  std::span<const runtime::PortInfo> inputs() const override { return {}; }
  std::span<const runtime::PortInfo> outputs() const override { return outputs_; }
  const runtime::Metadata& metadata() const override { return graph_.metadata; }
  runtime::FloatType float_type() const override { return runtime::FloatType::f32; }
  int streams() const override { return 1; }
  std::vector<runtime::LayerInfo> layers() const override { return {}; }
  void save(const std::filesystem::path&) const override {}
  std::string description() const override { return "ONNX Runtime"; }
  std::unique_ptr<runtime::Request> make_request() override {
    return std::make_unique<OracleRequest>(graph_);
  }

 private:
  graph::Graph graph_;
  std::vector<runtime::PortInfo> outputs_;
};

}  // namespace

std::shared_ptr<runtime::Engine> onnxruntime_engine(const graph::Graph& graph) {
  return std::make_shared<OracleEngine>(graph);
}

}  // namespace yoloq::test
