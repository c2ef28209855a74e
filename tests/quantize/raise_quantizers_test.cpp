// SPDX-License-Identifier: Apache-2.0
#include "quantize/raise_quantizers.h"

#include <gtest/gtest.h>

#include <cmath>
#include <ostream>
#include <string>

#include "graph/execute.h"
#include "graph/text.h"
#include "graph/verify.h"

namespace yoloq::quantize {
namespace {

using graph::Graph;

constexpr const char* kConstants = R"(
    input x float32[1,2,4,4]
    s = float32[] {0.25}
    z = uint8[] {3}
    other = float32[] {0.5}
    w = float32[1,4,1,1] {1.0,-2.0,0.5,0.75}
    v = float32[1,2,1,1] {1.0,-1.0}
    scales = float32[4] {1.0,1.0,2.0,2.0}
)";

Graph parsed(const std::string& text) { return graph::parse(kConstants + text); }

/// A pyramid of pools that is joined, as SPPF has it.
constexpr const char* kPools = R"(
    a = Relu(x) @relu
    p = MaxPool(a) kernel_shape=[3,3] pads=[1,1,1,1] @p
    r = MaxPool(p) kernel_shape=[3,3] pads=[1,1,1,1] @r
    c = Concat(p, r) axis=1 @cat
    q = QuantizeLinear(c, s, z) @q
    d = DequantizeLinear(q, s, z) @d
    y = Conv(d, w) @conv
    return y)";

TEST(RaiseQuantizers, PutsOneBeforePoolsAndConcat) {
  Graph graph = parsed(kPools);

  EXPECT_EQ(raise_quantizers(graph), 1);

  graph::verify(graph);
  EXPECT_EQ(graph, parsed(R"(
      a = Relu(x) @relu
      a/quantized = QuantizeLinear(a, s, z) @a/QuantizeLinear
      a/dequantized = DequantizeLinear(a/quantized, s, z) @a/DequantizeLinear
      p = MaxPool(a/dequantized) kernel_shape=[3,3] pads=[1,1,1,1] @p
      r = MaxPool(p) kernel_shape=[3,3] pads=[1,1,1,1] @r
      c = Concat(p, r) axis=1 @cat
      y = Conv(c, w) @conv
      return y)"));
}

TEST(RaiseQuantizers, ASecondRunFindsNothing) {
  Graph graph = parsed(kPools);
  raise_quantizers(graph);

  EXPECT_EQ(raise_quantizers(graph), 0);
}

/// A map that is read directly, in a Concat with an enlarged one, and by an Add in float.
constexpr const char* kForkedNeck = R"(
    a = Relu(x) @relu
    qa = QuantizeLinear(a, s, z) @qa
    da = DequantizeLinear(qa, s, z) @da
    b = Conv(da, w2) @first
    u = Resize(b, , scales) mode="nearest" @up
    c = Concat(a, u) axis=1 @cat
    q = QuantizeLinear(c, s2, z2) @q
    d = DequantizeLinear(q, s2, z2) @d
    y = Conv(d, w) @conv
    sum = Add(a, y) @sum
    return sum)";

std::string neck(const std::string& more) {
  return "s2 = " + more + "\nz2 = uint8[] {3}\nw2 = float32[2,2,2,2] {0.5}\n" +
         std::string(kForkedNeck)
             .replace(std::string(kForkedNeck).find("w2) @first"), 10, "w2) strides=[2,2] @first");
}

TEST(RaiseQuantizers, UsesAQuantizerThatIsThereAndLeavesFloatReadersAlone) {
  Graph graph = parsed(neck("float32[] {0.25}"));

  EXPECT_EQ(raise_quantizers(graph), 1);

  graph::verify(graph);
  const auto inputs = [&](const std::string& output) {
    return graph[*graph.producer(output)].inputs;
  };
  EXPECT_EQ(inputs("c"), (std::vector<std::string>{"da", "u"}));
  EXPECT_EQ(inputs("u")[0], "b/dequantized");
  EXPECT_EQ(inputs("y")[0], "c");
  EXPECT_EQ(inputs("sum")[0], "a");
}

/// All values of the outputs on inputs that clip at both ends and fall between codes.
std::vector<float> computed(const Graph& graph) {
  std::vector<float> values(32);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = 40.0f * std::sin(static_cast<float>(i) * 1.7f);
  }
  return graph::execute(graph, {{"x", Tensor::of<float>({1, 2, 4, 4}, values)}})
      .at(graph.outputs[0].name)
      .to_floats();
}

TEST(RaiseQuantizers, ChangesNoBitOfTheResult) {
  for (const std::string& text : {std::string(kPools), neck("float32[] {0.25}")}) {
    Graph graph = parsed(text);
    const auto before = computed(graph);

    ASSERT_EQ(raise_quantizers(graph), 1);

    EXPECT_EQ(computed(graph), before);
  }
}

struct Kept {
  const char* why;
  std::string text;
};

void PrintTo(const Kept& row, std::ostream* out) { *out << row.why; }

class RaiseQuantizersKeeps : public testing::TestWithParam<Kept> {};

TEST_P(RaiseQuantizersKeeps, AsItIs) {
  Graph graph = parsed(GetParam().text);
  const Graph before = graph;

  EXPECT_EQ(raise_quantizers(graph), 0);

  EXPECT_EQ(graph, before);
}

std::string pools_with(std::string_view from, std::string_view to) {
  std::string text = kPools;
  return text.replace(text.find(from), from.size(), to);
}

const Kept kKept[] = {
    {"AValueWithAnotherScale", neck("float32[] {0.5}")},
    {"AResultThatIsAnOutput", pools_with("return y", "return y, c")},
    {"AResultThatOthersRead", pools_with("return y", "o = Relu(c)\nreturn y, o")},
    {"AMovementWithAConstant",
     pools_with("Concat(p, r)", "Concat(p, k)") + "\nk = float32[1,2,4,4] {1.0}"},
    {"LinearResize",
     pools_with("c = Concat(p, r) axis=1 @cat",
                "j = Concat(p, r) axis=1\nc = Resize(j, , scales) mode=\"linear\"")},
    {"ScalesPerChannel", pools_with("QuantizeLinear(c, s, z)", "QuantizeLinear(c, scales, z4)") +
                             "\nz4 = uint8[4] {3}"},
    {"CodesWithOtherReaders", pools_with("return y", "return y, q")},
    {"ADequantizerOfAnotherScale",
     pools_with("DequantizeLinear(q, s", "DequantizeLinear(q, other")},
    {"AQuantizerBehindAConv", R"(
        a = Conv(x, v)
        q = QuantizeLinear(a, s, z)
        d = DequantizeLinear(q, s, z)
        return d)"},
};

INSTANTIATE_TEST_SUITE_P(, RaiseQuantizersKeeps, testing::ValuesIn(kKept),
                         [](const auto& row) { return std::string(row.param.why); });

}  // namespace
}  // namespace yoloq::quantize
