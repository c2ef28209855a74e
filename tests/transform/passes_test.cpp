// SPDX-License-Identifier: Apache-2.0
#include "transform/passes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "core/error.h"
#include "core/file.h"
#include "graph/text.h"
#include "transform/graphs.h"

namespace yoloq::transform {
namespace {

using graph::Graph;
using graph::parse;
using graph::to_text;
using testing::Contains;
using testing::Field;
using testing::HasSubstr;

/// Something for every pass, in Focus' order.
constexpr const char* kModel = R"(
    input x float32[batch,1,8,8]
    zero = int64[1] {0}
    one = int64[1] {1}
    far = int64[1] {9223372036854775807}
    rows = int64[1] {2}
    columns = int64[1] {3}
    two = int64[1] {2}
    other = int64[1] {2}
    top = Slice(x, zero, far, rows, two)
    low = Slice(x, one, far, rows, other)
    q0 = Slice(top, zero, far, columns, two)
    q1 = Slice(low, zero, far, columns, two)
    q2 = Slice(top, one, far, columns, two)
    q3 = Slice(low, one, far, columns, two)
    stem = Concat(q0, q1, q2, q3) axis=1
    model.0.conv.weight = float32[2,4,3,3] {0.1}
    c = Conv(stem, model.0.conv.weight) pads=[1,1,1,1] @Conv_0
    gamma = float32[2] {4,3}
    var = float32[2] {3,8}
    b = BatchNormalization(c, gamma, var, gamma, var)
    half = Constant() value=float32[] {0.5}
    h = Mul(b, half)
    pads = int64[8] {0,0,1,1,0,0,1,1}
    p = Pad(h, pads)
    w = float32[1,2,3,3] {0.2}
    d = Conv(p, w)
    i = Identity(d)
    first = int64[] {0}
    s = Shape(i)
    n = Gather(s, first)
    n1 = Unsqueeze(n, zero)
    rest = int64[1] {-1}
    target = Concat(n1, rest) axis=0
    y = Reshape(i, target)
    return y)";

TEST(Passes, SimplifyARealisticGraph) {
  Graph graph = parse(kModel);
  const Graph before = graph;

  simplify(graph);

  EXPECT_EQ(graph.node_count(), 4u + 1 + 2 + 1);  // Quarters, Concat, Convs, Reshape.
  expect_same_outputs(graph, before, {{"batch", 2}}, 1e-5);
}

TEST(Passes, RunAnOptionalOneOnRequest) {
  Graph graph = parse(kModel);
  const Graph before = graph;

  run_passes(graph, {.also = {"focus-to-conv"}});

  EXPECT_EQ(to_text(graph),
            "input x float32[batch,1,8,8]\n"
            "h = Conv(x, model.0.conv.weight, model.0.conv.bias) kernel_shape=[6,6] "
            "pads=[2,2,2,2] strides=[2,2] @model.0.conv\n"
            "d = Conv(h, w) pads=[1,1,1,1] @d\n"
            "y = Reshape(d, y.shape)\n"
            "return y\n");
  expect_same_outputs(graph, before, {{"batch", 2}}, 1e-5);
}

TEST(Passes, ComeToRest) {
  Graph graph = parse(kModel);
  simplify(graph);
  const Graph once = graph;

  for (const PassResult& result : simplify(graph)) EXPECT_EQ(result.changes, 0) << result.name;
  EXPECT_EQ(graph, once);
}

TEST(Passes, LeaveEachNodeANameThatNoOtherHas) {
  Graph graph = parse(kModel);

  simplify(graph);

  std::set<std::string> names;
  for (const graph::NodeId id : graph.nodes()) names.insert(graph[id].name);
  EXPECT_EQ(names.size(), graph.node_count());
  EXPECT_FALSE(names.contains(""));
}

TEST(Passes, SayWhatEachOneDid) {
  Graph graph = parse(kModel);

  const auto results = simplify(graph);

  EXPECT_THAT(results, Contains(Field(&PassResult::name, "fold-batch-norm")));
  for (const PassResult& result : results) {
    if (result.name == "fold-batch-norm") {
      EXPECT_EQ(result.changes, 1);
    }
    EXPECT_GE(result.ms, 0);
  }
}

TEST(Passes, SkipWhatIsNamed) {
  Graph graph = parse(kModel);

  const auto results = run_passes(graph, {.skip = {"fold-batch-norm", "fold-affine"}});

  EXPECT_THAT(to_text(graph), HasSubstr("BatchNormalization"));
  EXPECT_THAT(results, testing::Not(Contains(Field(&PassResult::name, "fold-batch-norm"))));
}

TEST(Passes, ListTheKnownOnesForAnUnknownName) {
  Graph graph = parse(kModel);
  try {
    run_passes(graph, {.skip = {"fuse-everything"}});
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::bad_argument);
    EXPECT_THAT(error.what(), HasSubstr("fold-batch-norm"));
  }
}

TEST(Passes, RefuseAGraphThatIsNotSound) {
  Graph graph = parse("y = Relu(x)\nreturn y");
  graph.outputs[0].name = "gone";

  EXPECT_THROW(simplify(graph), Error);
}

TEST(Passes, AreNamedOnce) {
  std::set<std::string_view> names;
  for (const Pass& pass : passes()) EXPECT_TRUE(names.insert(pass.name).second) << pass.name;
}

TEST(Passes, AreAllInTheReferenceInTheirOrder) {
  const std::string page = read_file(std::string(YOLOQ_SOURCE_DIR) + "/docs/reference/passes.md");
  std::size_t at = 0;
  for (const Pass& pass : passes()) {
    const std::size_t found = page.find("| `" + std::string(pass.name) + "` |", at);
    ASSERT_NE(found, page.npos) << pass.name;
    at = found;
  }
}

}  // namespace
}  // namespace yoloq::transform
