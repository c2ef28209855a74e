// SPDX-License-Identifier: Apache-2.0
#include "graph/verify.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <ostream>

#include "core/error.h"
#include "graph/text.h"

namespace yoloq::graph {
namespace {

using testing::HasSubstr;

constexpr const char* kSound = R"(
    weight = float32[1,1,1,1] {2}
    conv = Conv(image, weight)
    first, , last = Split(conv)
    big = Resize(first, , last)
    return big, conv)";

TEST(Verify, AcceptsASoundGraph) {
  EXPECT_NO_THROW(verify(parse(kSound)));
  EXPECT_NO_THROW(verify(Graph()));
}

TEST(Verify, AcceptsAConstantThatIsTheValueOfAnInput) {
  Graph graph = parse("y = Conv(x, weight)\nreturn y");
  graph.constants["weight"] = Tensor::of<float>({1, 1, 1, 1}, {1});

  EXPECT_NO_THROW(verify(graph));
}

struct Broken {
  const char* why;
  std::function<void(Graph&)> damage;
  const char* message;
};

void PrintTo(const Broken& row, std::ostream* out) { *out << row.why; }

class VerifyRefuses : public testing::TestWithParam<Broken> {};

TEST_P(VerifyRefuses, TheGraph) {
  Graph graph = parse(kSound);
  GetParam().damage(graph);

  try {
    verify(graph);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::corrupt_file);
    EXPECT_THAT(error.what(), HasSubstr(GetParam().message));
  }
}

Node& node(Graph& graph, std::size_t index) { return graph[graph.nodes()[index]]; }

const Broken kBroken[] = {
    {"TwoInputsShareAName",
     [](Graph& g) {
       g.inputs.push_back({"image", {}});
     },
     "are called 'image'"},
    {"AnInputHasNoName", [](Graph& g) { g.inputs.push_back({}); }, "an input of the graph has no"},
    {"TwoNodesWriteAValue", [](Graph& g) { node(g, 1).outputs[2] = "conv"; }, "writes 'conv'"},
    {"ANodeWritesItsOwnOutputTwice", [](Graph& g) { node(g, 1).outputs[2] = "first"; },
     "writes 'first'"},
    {"ANodeWritesAConstant", [](Graph& g) { node(g, 2).outputs[0] = "weight"; }, "'weight'"},
    {"ANodeWritesAnInput", [](Graph& g) { node(g, 2).outputs[0] = "image"; }, "writes 'image'"},
    {"AReadValueIsMissing", [](Graph& g) { node(g, 0).inputs[0] = "gone"; }, "reads 'gone'"},
    {"AValueIsReadBeforeItIsWritten", [](Graph& g) { node(g, 0).inputs[0] = "big"; },
     "reads 'big'"},
    {"ASubgraphReadsAMissingValue", [](Graph& g) { node(g, 2).captured = {"gone"}; }, "'gone'"},
    {"TheGraphReturnsNothingKnown", [](Graph& g) { g.outputs[0].name = "gone"; }, "returns 'gone'"},
    {"AnOutputHasNoName", [](Graph& g) { g.outputs[0].name = ""; }, "an output of the graph has"},
    {"ANodeHasNoOutputs", [](Graph& g) { node(g, 2).outputs.clear(); }, "has no outputs"},
    {"ANodeHasNoOperator", [](Graph& g) { node(g, 2).op.clear(); }, "has no operator"},
};

INSTANTIATE_TEST_SUITE_P(When, VerifyRefuses, testing::ValuesIn(kBroken),
                         [](const auto& row) { return row.param.why; });

}  // namespace
}  // namespace yoloq::graph
