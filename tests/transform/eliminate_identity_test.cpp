// SPDX-License-Identifier: Apache-2.0
#include "transform/eliminate_identity.h"

#include <gtest/gtest.h>

#include "graph/text.h"
#include "graph/verify.h"
#include "transform/graphs.h"

namespace yoloq::transform {
namespace {

using graph::Graph;
using graph::parse;
using graph::to_text;

/// x is [n, 2, 4, 6]; `y = ...` is the node in question, and what is behind it must read x.
constexpr const char* kInputs = R"(
    input x float32[n,2,4,6]
    one = float32[1,1,1] {1}
    zero = float32[] {0}
    zeros = int64[8] {0}
    same = int64[4] {0,2,-1,6}
    ones = int64[4] {1}
    scales = float32[4] {1,1,1,1}
    start = int64[1] {0}
    far = int64[1] {9223372036854775807}
    axis = int64[1] {2}
    no = bool[] {0}
)";

Graph with_inputs(const std::string& nodes) { return parse(kInputs + nodes); }

struct Removed {
  const char* why;
  const char* node;
};

void PrintTo(const Removed& row, std::ostream* out) { *out << row.why; }

class EliminateIdentity : public testing::TestWithParam<Removed> {};

TEST_P(EliminateIdentity, RemovesTheNode) {
  Graph graph = with_inputs(std::string(GetParam().node) + "\nz = Sigmoid(y)\nreturn z");
  const Graph before = graph;

  EXPECT_EQ(eliminate_identity(graph), 1);

  EXPECT_EQ(to_text(graph), "input x float32[n,2,4,6]\nz = Sigmoid(x)\nreturn z\n");
  expect_same_outputs(graph, before, {{"n", 3}});
  EXPECT_EQ(eliminate_identity(graph), 0);
}

constexpr Removed kRemoved[] = {
    {"Identity", "y = Identity(x)"},
    {"Dropout", "y = Dropout(x)"},
    {"DropoutWhoseMaskIsUnread", "y, mask = Dropout(x, , no)"},
    {"CastToTheSameType", "y = Cast(x) to=1"},
    {"TransposeInOrder", "y = Transpose(x) perm=[0,1,2,3]"},
    {"ReshapeToTheSameShape", "y = Reshape(x, same)"},
    {"ExpandByOnes", "y = Expand(x, ones)"},
    {"SliceOfAll", "y = Slice(x, start, far, axis)"},
    {"ResizeByOne", "y = Resize(x, , scales) mode=nearest"},
    {"PadByNothing", "y = Pad(x, zeros)"},
    {"ConcatOfOne", "y = Concat(x) axis=1"},
    {"MaxOfOne", "y = Max(x)"},
    {"MulByOne", "y = Mul(x, one)"},
    {"MulByOneOnTheLeft", "y = Mul(one, x)"},
    {"DivByOne", "y = Div(x, one)"},
    {"AddOfZero", "y = Add(zero, x)"},
    {"SubOfZero", "y = Sub(x, zero)"},
    {"PowToOne", "y = Pow(x, one)"},
};

INSTANTIATE_TEST_SUITE_P(Of, EliminateIdentity, testing::ValuesIn(kRemoved),
                         [](const auto& row) { return row.param.why; });

TEST(EliminateIdentityAtAnOutput, RenamesWhatComputesIt) {
  Graph graph = with_inputs("a = Relu(x)\nb = Sigmoid(a)\ny = Identity(a)\nreturn y, b");
  const Graph before = graph;

  EXPECT_EQ(eliminate_identity(graph), 1);

  EXPECT_EQ(to_text(graph), "input x float32[n,2,4,6]\ny = Relu(x)\nb = Sigmoid(y)\nreturn y, b\n");
  expect_same_outputs(graph, before, {{"n", 1}});
}

TEST(EliminateIdentityAtAnOutput, FollowsSeveralInARow) {
  Graph graph =
      with_inputs("a = Relu(x)\nb = Identity(a)\nc = Identity(b)\ny = Identity(c)\nreturn y");

  EXPECT_EQ(eliminate_identity(graph), 3);
  EXPECT_EQ(to_text(graph), "input x float32[n,2,4,6]\ny = Relu(x)\nreturn y\n");
}

TEST(EliminateIdentityAtAnOutput, KeepsOneOfTwoNamesForAValue) {
  Graph graph = with_inputs("a = Relu(x)\ny = Identity(a)\nz = Identity(a)\nreturn y, z");
  const Graph before = graph;

  EXPECT_EQ(eliminate_identity(graph), 1);

  EXPECT_NO_THROW(graph::verify(graph));
  EXPECT_EQ(graph.node_count(), 2u);
  expect_same_outputs(graph, before, {{"n", 1}});
}

class EliminateIdentityLeavesAlone : public testing::TestWithParam<LeftAlone> {};

TEST_P(EliminateIdentityLeavesAlone, TheGraph) {
  Graph graph = with_inputs(GetParam().graph);
  const Graph before = graph;

  EXPECT_EQ(eliminate_identity(graph), 0);
  EXPECT_EQ(graph, before);
}

constexpr LeftAlone kEliminateIdentityLeaves[] = {
    {"AnInputIsReturned", "y = Identity(x)\nreturn y"},
    {"AConstantIsReturned", "y = Identity(one)\nreturn y"},
    {"BothNamesAreReturned", "a = Relu(x)\ny = Identity(a)\nreturn a, y"},
    {"AnotherDomain", "y = my::Identity(x)\nz = Relu(y)\nreturn z"},
    {"TheMaskIsRead", "y, mask = Dropout(x)\nz = Relu(y)\nm = Not(mask)\nreturn z, m"},
    {"DropoutMayBeTraining", "y = Dropout(x, , training)\nz = Relu(y)\nreturn z"},
    {"CastToAnotherType", "y = Cast(x) to=7\nz = Abs(y)\nreturn z"},
    {"TransposeReverses", "y = Transpose(x)\nz = Relu(y)\nreturn z"},
    {"ReshapeChanges", "c = int64[2] {-1,6}\ny = Reshape(x, c)\nz = Relu(y)\nreturn z"},
    {"TheOneWidensTheShape", "w = float32[2,1,1,1,1] {1}\ny = Mul(x, w)\nz = Relu(y)\nreturn z"},
    {"TheFactorIsNotOne",
     "f = float32[2] {1,2}\nc = float32[2,1,1] {1,2}\ny = Mul(x, c)\nz = Relu(y)\nreturn z"},
    {"OneMinus", "y = Sub(zero, x)\nz = Relu(y)\nreturn z"},
    {"OneOver", "y = Div(one, x)\nz = Relu(y)\nreturn z"},
    {"SliceGoesBackwards", R"(
        end = int64[1] {-100}
        back = int64[1] {-1}
        y = Slice(x, back, end, axis, back)
        z = Relu(y)
        return z)"},
    {"SliceOfUnknownSteps", "y = Slice(x, start, far, axis, steps)\nz = Relu(y)\nreturn z"},
    {"PadMovesElements", "c = int64[8] {0,0,1,0,0,0,-1,0}\ny = Pad(x, c)\nz = Relu(y)\nreturn z"},
    {"SizesAreOnlyAlikeByChance",
     "input w float32[m,2,4,6]\ny = Expand(w, shape)\nz = Relu(y)\nreturn z"},
};

INSTANTIATE_TEST_SUITE_P(When, EliminateIdentityLeavesAlone,
                         testing::ValuesIn(kEliminateIdentityLeaves),
                         [](const auto& row) { return row.param.why; });

}  // namespace
}  // namespace yoloq::transform
