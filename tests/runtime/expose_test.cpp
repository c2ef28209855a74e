// SPDX-License-Identifier: Apache-2.0
#include "runtime/expose.h"

#include <gtest/gtest.h>

#include <vector>

#include "core/error.h"
#include "graph/text.h"
#include "graph/verify.h"

namespace yoloq::runtime {
namespace {

using graph::Graph;
using graph::parse;
using graph::to_text;

TEST(WithOutputs, LetsFeatureMapsLeaveInTheOrderThatEnginesHoldThem) {
  Graph graph = parse(R"(
      weight = float32[8,3,1,1] {1.0}
      a = Relu(x)
      y = Conv(a, weight)
      return y)");

  const Graph exposed = with_outputs(graph, std::vector<std::string>{"a"});

  EXPECT_EQ(to_text(exposed),
            "a = Relu(x)\n"
            "y = Conv(a, weight)\n"
            "a_nhwc = Transpose(a) perm=[0,2,3,1]\n"
            "return y, a_nhwc float32[?,?,?,?]\n");
  graph::verify(exposed);
}

TEST(WithOutputs, KeepsTheOrderOfTheValuesBehindTheOwnOutputs) {
  const Graph graph = parse(R"(
      input x float32[2,3]
      a = Relu(x)
      b = Sigmoid(a)
      return b)");

  const Graph exposed = with_outputs(graph, std::vector<std::string>{"x", "b", "a"});

  ASSERT_EQ(exposed.outputs.size(), 4u);
  EXPECT_EQ(exposed.outputs[1].name, "x");
  EXPECT_EQ(exposed.outputs[2].name, "b");
  EXPECT_EQ(exposed.outputs[3].name, "a");
}

TEST(WithOutputs, NamesAValueThatIsNotThere) {
  const Graph graph = parse("y = Relu(x)\nreturn y");

  EXPECT_THROW(with_outputs(graph, std::vector<std::string>{"z"}), Error);
}

}  // namespace
}  // namespace yoloq::runtime
