// SPDX-License-Identifier: Apache-2.0
#include "runtime/oracle.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "core/error.h"
#include "core/file.h"
#include "graph/text.h"
#include "onnx/model_file.h"
#include "support/data.h"
#include "support/npz.h"

namespace yoloq::test {

namespace {

std::string as_argument(const Shape& shape) {
  std::string text;
  for (const std::int64_t size : shape) text.append(",").append(std::to_string(size));
  return text.substr(text.empty() ? 0 : 1);
}

std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

std::vector<Tensor> run_in_onnxruntime(const graph::Graph& graph,
                                       const std::vector<Tensor>& inputs) {
  const TemporaryFolder folder;
  onnx::write_model(graph, folder / "model.onnx");
  std::vector<std::string> arguments{(folder / "model.onnx").string(),
                                     (folder / "out.npz").string()};
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const auto file = folder / std::to_string(i);
    write_file(file, as_text(inputs[i].bytes()));
    arguments.push_back(graph.inputs[i].name + ":" + as_argument(inputs[i].shape()) + ":" +
                        file.string());
  }
  const Finished finished = run_python("tests/runtime/run_onnx.py", arguments);
  if (finished.status != 0) fail(ErrorCode::bad_state, "ONNX Runtime: {}", finished.errors);
  const auto arrays = read_npz(folder / "out.npz");
  std::vector<Tensor> outputs;
  for (std::size_t i = 0; i < arrays.size(); ++i) outputs.push_back(arrays.at(std::to_string(i)));
  return outputs;
}

Tensor random_tensor(const Shape& shape, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<float> values(static_cast<std::size_t>(element_count(shape)));
  std::ranges::generate(values,
                        [&] { return static_cast<float>(random() >> 8) / 8388608.0f - 1.0f; });
  return Tensor::of(shape, values);
}

Tensor random_codes(const Shape& shape, std::uint32_t seed, int top) {
  std::mt19937 random(seed);
  std::vector<std::int8_t> codes(static_cast<std::size_t>(element_count(shape)));
  const auto count = static_cast<std::uint32_t>(2 * top + 1);
  std::ranges::generate(
      codes, [&] { return static_cast<std::int8_t>(static_cast<int>(random() % count) - top); });
  return Tensor::of(shape, codes);
}

double relative_difference(const Tensor& a, const Tensor& b) {
  const auto left = a.to_floats();
  const auto right = b.to_floats();
  if (a.shape() != b.shape()) return std::numeric_limits<double>::infinity();
  double largest = 0;
  double difference = 0;
  for (std::size_t i = 0; i < left.size(); ++i) {
    largest = std::max(largest, std::abs(static_cast<double>(left[i])));
    difference = std::max(difference, std::abs(static_cast<double>(left[i]) - right[i]));
  }
  return difference / std::max(largest, 1e-30);
}

graph::Graph concat_model(int top) {
  graph::Graph graph = graph::parse(R"(
      input x float32[1,16,32,32]
      scale = float32[] {0.01}
      zero = int8[] {0}
      weight_scale = float32[16] {0.002}
      weight_zero = int8[16] {0}
      cat_scale = float32[] {0.02}
      q = QuantizeLinear(x, scale, zero)
      d = DequantizeLinear(q, scale, zero)
      w0 = DequantizeLinear(c0, weight_scale, weight_zero) axis=0
      y0 = Conv(d, w0, bias0) @first
      w1 = DequantizeLinear(c1, weight_scale, weight_zero) axis=0
      y1 = Conv(d, w1, bias1) @second
      cat = Concat(y0, y1) axis=1 @join
      qc = QuantizeLinear(cat, cat_scale, zero)
      dc = DequantizeLinear(qc, cat_scale, zero)
      w2 = DequantizeLinear(c2, weight_scale, weight_zero) axis=0
      y = Conv(dc, w2) @third
      return y)");
  graph.constants["c0"] = random_codes({16, 16, 1, 1}, 1, top);
  graph.constants["c1"] = random_codes({16, 16, 1, 1}, 2, top);
  graph.constants["c2"] = random_codes({16, 32, 1, 1}, 3, top);
  graph.constants["bias0"] = random_tensor({16}, 4);
  graph.constants["bias1"] = random_tensor({16}, 5);
  std::erase_if(graph.inputs, [](const graph::Port& port) { return port.name != "x"; });
  graph.outputs[0].type = {DType::f32, graph::Dims(4, graph::Dim{})};
  return graph;
}

}  // namespace yoloq::test
