// SPDX-License-Identifier: Apache-2.0
#include "graph/shapes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "graph/text.h"

namespace yoloq::graph {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// The sizes of `value` after inference, as text: "[1,8,h/2,?]".
std::string dims_of(const Graph& graph, const std::string& value) {
  const auto dims = graph.type_of(value).dims;
  if (!dims) return "?";
  std::string text;
  for (const Dim& dim : *dims) {
    text += text.empty() ? "[" : ",";
    text += dim.known() ? std::to_string(dim.size) : dim.symbol.empty() ? "?" : dim.symbol;
  }
  return text.empty() ? "[]" : text + "]";
}

TEST(Shapes, FollowSymbolsThroughABackbone) {
  Graph graph = parse(R"(
      input x float32[batch,3,h,w]
      stem = float32[8,3,6,6] {0.1}
      deep = float32[16,8,3,3] {0.1}
      flat = float32[4,16,1,1] {0.1}
      scales = float32[4] {1,1,2,2}
      a = Conv(x, stem) strides=[2,2] pads=[2,2,2,2]
      b = Conv(a, deep) strides=[2,2] pads=[1,1,1,1]
      c = Conv(b, flat)
      s = Sigmoid(c)
      m = Mul(c, s)
      p = MaxPool(m) kernel_shape=[5,5] pads=[2,2,2,2]
      u = Resize(p, , scales)
      k = Concat(u, a) axis=1
      return k)");
  infer_shapes(graph);

  EXPECT_EQ(dims_of(graph, "a"), "[batch,8,h/2,w/2]");
  EXPECT_EQ(dims_of(graph, "b"), "[batch,16,(h/2+1)/2,(w/2+1)/2]");
  EXPECT_EQ(dims_of(graph, "m"), dims_of(graph, "c"));
  EXPECT_EQ(dims_of(graph, "p"), dims_of(graph, "c"));
  EXPECT_EQ(dims_of(graph, "u"), "[batch,4,2*((h/2+1)/2),2*((w/2+1)/2)]");
  EXPECT_EQ(graph.outputs[0].type.dims->at(1), Dim::fixed(4 + 8));
}

TEST(Shapes, FollowSizesThroughAChainThatEndsInAReshape) {
  Graph graph = parse(R"(
      input x float32[batch,6,h,w]
      zero = int64[] {0}
      two = int64[] {2}
      three = int64[] {3}
      axes = int64[1] {0}
      rest = int64[2] {3,2}
      s = Shape(x)
      n = Gather(s, zero)
      y = Gather(s, two)
      z = Gather(s, three)
      n1 = Unsqueeze(n, axes)
      y1 = Unsqueeze(y, axes)
      z1 = Unsqueeze(z, axes)
      target = Concat(n1, rest, y1, z1) axis=0
      r = Reshape(x, target)
      return r)");
  infer_shapes(graph);

  EXPECT_EQ(dims_of(graph, "target"), "[5]");
  EXPECT_EQ(dims_of(graph, "r"), "[batch,3,2,h,w]");
}

TEST(Shapes, ComputeWhatKnownSizesDecide) {
  Graph graph = parse(R"(
      input x float32[1,4,10,8]
      starts = int64[1] {2}
      ends = int64[1] {4}
      axes = int64[1] {0}
      factor = float32[1] {1.5}
      head = int64[2] {1,4}
      s = Shape(x)
      hw = Slice(s, starts, ends, axes)
      f = Cast(hw) to=1
      g = Mul(f, factor)
      h = Floor(g)
      i = Cast(h) to=7
      sizes = Concat(head, i) axis=0
      y = Resize(x, , , sizes) mode=nearest
      return y)");
  const Knowledge knowledge(graph);

  EXPECT_THAT(knowledge.of("sizes").tensor->values<std::int64_t>(), ElementsAre(1, 4, 15, 12));
  infer_shapes(graph);
  EXPECT_EQ(dims_of(graph, "y"), "[1,4,15,12]");
}

TEST(Shapes, SolveTheOpenSizeOfAReshape) {
  Graph graph = parse(R"(
      input x float32[batch,3,h,85]
      fixed = int64[3] {0,-1,85}
      merged = int64[2] {-1,85}
      y = Reshape(x, fixed)
      z = Reshape(x, merged)
      return y, z)");
  infer_shapes(graph);

  EXPECT_EQ(dims_of(graph, "y"), "[batch,3*h,85]");
  EXPECT_EQ(dims_of(graph, "z"), "[?,85]");
}

TEST(Shapes, CountTheQuartersOfFocus) {
  Graph graph = parse(R"(
      input x float32[1,3,h,w]
      zero = int64[2] {0,1}
      far = int64[2] {9223372036854775807,9223372036854775807}
      axes = int64[2] {2,3}
      steps = int64[2] {2,2}
      y = Slice(x, zero, far, axes, steps)
      return y)");
  infer_shapes(graph);

  EXPECT_EQ(dims_of(graph, "y"), "[1,3,(h+1)/2,w/2]");
}

TEST(Shapes, KeepWhatAFileSaysOfUnknownOperators) {
  Graph graph = parse("input x float32[2]\ny = my.domain::Odd(x)\nz = Relu(y)\nreturn z");
  graph.value_types["y"] = {DType::f32, Dims{Dim::fixed(7), Dim::named("lie")}};
  infer_shapes(graph);

  EXPECT_EQ(dims_of(graph, "z"), "[7,?]");
}

TEST(Shapes, KeepTheSymbolsOfTheGraphsOutputs) {
  Graph graph = parse("input x float32[n,3]\ny = Relu(x)\nreturn y float32[rows,?]");
  infer_shapes(graph);

  EXPECT_EQ(dims_of(graph, "y"), "[rows,3]");
}

TEST(Shapes, NameTheNodeThatContradictsItsInputs) {
  Graph graph = parse(R"(
      input x float32[1,3,8,8]
      w = float32[4,2,1,1] {1}
      y = Conv(x, w) @model.0.conv
      return y)");
  try {
    infer_shapes(graph);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::corrupt_file);
    EXPECT_THAT(error.what(), HasSubstr("model.0.conv"));
    EXPECT_THAT(error.what(), HasSubstr("expects 2"));
  }
}

TEST(Shapes, DoNotGrowSymbolsWithoutBound) {
  Graph graph = parse("input x float32[1,1,n]\ny0 = Relu(x)\nreturn y0");
  std::string last = "y0";
  for (int i = 1; i < 200; ++i) {
    const std::string name = "pool" + std::to_string(i);
    graph.append({.op = "MaxPool",
                  .inputs = {last},
                  .outputs = {name},
                  .attributes = {{"kernel_shape", std::vector<std::int64_t>{2}},
                                 {"strides", std::vector<std::int64_t>{2}}}});
    last = name;
  }
  infer_shapes(graph);

  EXPECT_EQ(dims_of(graph, last), "[1,1,?]");
}

}  // namespace
}  // namespace yoloq::graph
