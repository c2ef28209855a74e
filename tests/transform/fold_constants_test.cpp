// SPDX-License-Identifier: Apache-2.0
#include "transform/fold_constants.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "graph/text.h"
#include "transform/graphs.h"

namespace yoloq::transform {
namespace {

using graph::Graph;
using graph::parse;
using graph::to_text;
using testing::ElementsAre;

TEST(FoldConstants, ComputesChainsOfConstants) {
  Graph graph = parse(R"(
      input x float32[2]
      a = Constant() value=float32[2] {1,2}
      three = float32[] {3}
      b = Mul(a, three)
      c = Add(b, a)
      y = Add(x, c)
      return y)");
  const Graph before = graph;

  EXPECT_EQ(fold_constants(graph), 3);

  EXPECT_EQ(to_text(graph), "input x float32[2]\ny = Add(x, c)\nreturn y\n");
  EXPECT_THAT(graph.constant("c")->values<float>(), ElementsAre(1 * 3 + 1, 2 * 3 + 2));
  expect_same_outputs(graph, before);
}

TEST(FoldConstants, TakesTheShapeOfAValueThatIsNotConstant) {
  Graph graph = parse(R"(
      input x float32[batch,6,4]
      one = int64[] {1}
      s = Shape(x)
      n = Gather(s, one)
      r = Range(zero, n, one)
      f = Cast(r) to=1
      c = float32[] {0.5}
      g = Mul(f, c)
      return g)");
  graph.constants["zero"] = Tensor::scalar<std::int64_t>(0);
  std::erase_if(graph.inputs, [](const auto& port) { return port.name == "zero"; });
  const Graph before = graph;

  EXPECT_EQ(fold_constants(graph), 3);  // All but Shape, half of which is known, and g.
  EXPECT_EQ(graph.constant("f")->shape(), Shape{6});
  expect_same_outputs(graph, before, {{"batch", 2}});
}

TEST(FoldConstants, FoldsEachPartOfASplit) {
  Graph graph = parse(R"(
      input x float32[1]
      c = float32[4] {1,2,3,4}
      a, b = Split(c)
      y = Mul(x, b)
      return y)");

  EXPECT_EQ(fold_constants(graph), 1);
  EXPECT_THAT(graph.constant("b")->values<float>(), ElementsAre(3, 4));
}

/// Each with an axis so long that a kernel that followed it would not come back.
constexpr const char* kEmpty[] = {
    "shape = int64[2] {0,1099511627776}\ny = ConstantOfShape(shape)",
    "c = float32[1,1] {1}\nshape = int64[2] {0,1099511627776}\ny = Expand(c, shape)",
    "c = float32[1,0] {}\nr = int64[2] {68719476736,1}\ny = Tile(c, r)",
    "c = float32[0,1] {}\nsizes = int64[2] {0,68719476736}\ny = Resize(c, , , sizes)",
    "c = float32[1099511627776,0] {}\ni = int64[1] {0}\ny = Gather(c, i)",
    "c = float32[0,1,1048576,1048576] {}\nw = float32[1,1,1,1] {1}\ny = Conv(c, w)",
    "c = float32[2,0] {}\ni = int64[1,1] {0}\nu = float32[1,0] {}\ny = ScatterND(c, i, u)"};

TEST(FoldConstants, DoesNoWorkForResultsWithoutElements) {
  for (const char* text : kEmpty) {
    SCOPED_TRACE(text);
    Graph graph = parse("input x float32[1]\n" + std::string(text) + "\nz = Shape(y)\nreturn z, x");

    fold_constants(graph);

    ASSERT_NE(graph.constant("y"), nullptr);
    EXPECT_EQ(graph.constant("y")->size(), 0u);
  }
}

TEST(FoldConstants, FindsNothingOnASecondRun) {
  Graph graph = parse(R"(
      input x float32[2]
      a = Constant() value=float32[2] {1,2}
      y = Add(x, a)
      return y)");

  fold_constants(graph);

  EXPECT_EQ(fold_constants(graph), 0);
}

TEST(FoldConstants, SaysWhichNodeContradictsItsInputs) {
  Graph graph = parse(
      "c = int64[1] {9}\nd = float32[2] {1,2}\ny = Gather(d, c) @odd\nz = Add(x, y)\nreturn z");

  EXPECT_THROW(fold_constants(graph), Error);
}

class FoldConstantsLeavesAlone : public testing::TestWithParam<LeftAlone> {};

TEST_P(FoldConstantsLeavesAlone, TheGraph) {
  Graph graph = parse(GetParam().graph);
  const Graph before = graph;

  EXPECT_EQ(fold_constants(graph), 0);
  EXPECT_EQ(graph, before);
}

constexpr LeftAlone kFoldConstantsLeaves[] = {
    {"InputsAreNotConstant", "y = Relu(x)\nreturn y"},
    {"TheResultIsAnOutput", "c = float32[1] {1}\ny = Relu(c)\nreturn y"},
    {"TheOperatorHasNoKernel",
     "c = float32[1] {1}\nn = RandomNormalLike(c)\ny = Add(x, n)\nreturn y"},
    {"TheOperatorIsOfAnotherDomain",
     "c = float32[1] {1}\nn = my::Relu(c)\ny = Add(x, n)\nreturn y"},
    {"TheCaseHasNoKernel", R"(
        c = float32[1,1,2,2] {1}
        s = float32[4] {1,1,2,2}
        r = Resize(c, , s) mode=cubic
        y = Add(x, r)
        return y)"},
    {"SizesAreNotKnown", "input x float32[batch,3]\ns = Shape(x)\nt = Relu(s)\nreturn t"},
    {"WeightsAreQuantized", R"(
        w = int8[1,1,1,1] {3}
        s = float32[] {0.5}
        z = int8[] {0}
        d = DequantizeLinear(w, s, z)
        y = Conv(x, d)
        return y)"},
    {"TheResultIsHuge", R"(
        shape = int64[2] {100000,100000}
        one = float32[] {1}
        e = Expand(one, shape)
        y = Add(x, e)
        return y)"},
    {"TheResultIsBeyondAnyMemory", R"(
        shape = int64[3] {4611686018427387904,4611686018427387904,2}
        c = ConstantOfShape(shape)
        y = Add(x, c)
        return y)"},
};

INSTANTIATE_TEST_SUITE_P(When, FoldConstantsLeavesAlone, testing::ValuesIn(kFoldConstantsLeaves),
                         [](const auto& row) { return row.param.why; });

}  // namespace
}  // namespace yoloq::transform
