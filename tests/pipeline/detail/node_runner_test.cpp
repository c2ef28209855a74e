// SPDX-License-Identifier: Apache-2.0
#include "pipeline/detail/node_runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

namespace yoloq::pipeline::detail {
namespace {

using testing::ElementsAre;
using Floats = std::vector<float>;

graph::Graph model_with(const graph::Node& node) {
  graph::Graph model;
  model.opsets[""] = 13;
  model.constants["two"] = Tensor::of({1}, Floats{2});
  model.constants["three"] = Tensor::of({1}, Floats{3});
  model.append(node);
  return model;
}

graph::Graph alone(const graph::Node& node, std::vector<Shape> shapes) {
  return node_alone(model_with(node), node, shapes);
}

TEST(NodeRunner, ComputesEveryOutput) {
  NodeRunner runner(alone({.op = "Split",
                           .inputs = {"x"},
                           .outputs = {"a", "b"},
                           .attributes = {{"axis", std::int64_t{1}}}},
                          {{1, 4}}),
                    1);
  const Floats x{1, 2, 3, 4};
  const Floats* inputs[]{&x};
  std::vector<Floats> outputs(2);
  runner.run(inputs, outputs);

  EXPECT_THAT(outputs[0], ElementsAre(1, 2));
  EXPECT_THAT(outputs[1], ElementsAre(3, 4));
  EXPECT_THAT(runner.output_shape(1), ElementsAre(1, 2));
}

/// A value that a node reads twice may be rounded for one of its inputs alone.
TEST(NodeRunner, TakesEachInputForItself) {
  NodeRunner runner(alone({.op = "Sub", .inputs = {"x", "x"}, .outputs = {"y"}}, {{2}, {2}}), 1);
  const Floats first{5, 7};
  const Floats second{1, 2};
  const Floats* inputs[]{&first, &second};
  std::vector<Floats> outputs(1);
  runner.run(inputs, outputs);

  EXPECT_THAT(outputs[0], ElementsAre(4, 5));
}

TEST(NodeRunners, KeepOneForNodesThatComputeTheSame) {
  const auto mul = [](std::string name, std::string factor, std::int64_t size) {
    return alone({.op = "Mul",
                  .name = name,
                  .inputs = {name + "_in", std::move(factor)},
                  .outputs = {name + "_out"}},
                 {{size}});
  };
  NodeRunners runners(1);
  NodeRunner& first = runners.of(mul("first", "two", 2));

  EXPECT_EQ(&runners.of(mul("second", "two", 2)), &first);
  EXPECT_NE(&runners.of(mul("second", "three", 2)), &first) << "Another constant.";
  EXPECT_NE(&runners.of(mul("second", "two", 4)), &first) << "Another shape.";
}

}  // namespace
}  // namespace yoloq::pipeline::detail
