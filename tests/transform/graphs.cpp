// SPDX-License-Identifier: Apache-2.0
#include "transform/graphs.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "graph/execute.h"

namespace yoloq::transform {

Tensor noise(Shape shape, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(static_cast<std::size_t>(element_count(shape)));
  std::ranges::generate(values, [&] { return normal(random); });
  return Tensor::of<float>(std::move(shape), values);
}

std::map<std::string, Tensor> run(const graph::Graph& graph,
                                  const std::map<std::string, std::int64_t>& sizes) {
  std::map<std::string, Tensor> inputs;
  for (const graph::Port& port : graph.inputs) {
    if (!port.type.dims) continue;
    Shape shape;
    for (const graph::Dim& dim : *port.type.dims) {
      shape.push_back(dim.known() ? dim.size : sizes.at(dim.symbol));
    }
    inputs[port.name] = noise(shape);
  }
  return graph::execute(graph, inputs);
}

void expect_same_outputs(const graph::Graph& actual, const graph::Graph& expected,
                         const std::map<std::string, std::int64_t>& sizes, double tolerance) {
  const auto before = run(expected, sizes);
  const auto after = run(actual, sizes);
  ASSERT_EQ(after.size(), before.size());
  for (const auto& [name, tensor] : before) {
    ASSERT_TRUE(after.contains(name)) << name;
    ASSERT_EQ(after.at(name).shape(), tensor.shape()) << name;
    const auto wanted = tensor.to_floats();
    const auto given = after.at(name).to_floats();
    double largest = 0;
    for (const float value : wanted) largest = std::max(largest, std::abs(double{value}));
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      ASSERT_NEAR(given[i], wanted[i], tolerance * largest) << name << ", element " << i;
    }
  }
}

}  // namespace yoloq::transform
