// SPDX-License-Identifier: Apache-2.0
#include "quantize/lint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>

#include "graph/text.h"
#include "quantize/layers.h"

namespace yoloq::quantize {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// A Conv with both quantizers; a test replaces one line of it.
constexpr const char* kGood = R"(
    s = float32[] {0.5}
    z = int8[] {0}
    codes = int8[2,1,1,1] {1}
    ws = float32[2] {0.5}
    wz = int8[2] {0}
    q = QuantizeLinear(x, s, z)
    d = DequantizeLinear(q, s, z)
    w = DequantizeLinear(codes, ws, wz) axis=0
    y = Conv(d, w) @conv
    g = Sigmoid(y)
    return g)";

std::vector<LintRow> lint_with(std::string_view from, std::string_view to) {
  std::string text = kGood;
  const auto place = text.find(from);
  EXPECT_NE(place, std::string::npos);
  text.replace(place, from.size(), to);
  return lint(graph::parse(text));
}

TEST(Lint, FindsNothingWrongWithAGoodLayer) {
  const auto rows = lint(graph::parse(kGood));

  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].name, "conv");
  EXPECT_TRUE(rows[0].int8);
  EXPECT_THAT(rows[0].obstacles, IsEmpty());
  EXPECT_THAT(rows[0].limits, IsEmpty());
}

TEST(Lint, GivesTheIdsThatSkipLayersTakes) {
  // The first Conv computes its weight and can never be int8: it is no layer.
  const graph::Graph graph = graph::parse(R"(
      input x float32[1,1,2,2]
      input v float32[1,1,1,1]
      w = float32[1,1,1,1] {1.0}
      a = Conv(x, v) @odd
      b = Conv(a, w) @second
      c = Conv(b, w) @third
      return c)");

  const auto rows = lint(graph);
  const auto layers = quantizable_layers(graph);

  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0].id, -1);
  for (const LintRow& row : {rows[1], rows[2]}) {
    EXPECT_THAT(matching_layers(layers, std::to_string(row.id)), ElementsAre(row.id));
    EXPECT_EQ(layers[static_cast<std::size_t>(row.id)].name, row.name);
  }
}

TEST(Lint, GivesAQuantizedLayerTheIdOfTheFloatOne) {
  EXPECT_EQ(lint(graph::parse(kGood))[0].id, 0);
}

/// kGood with the quantizer before a pool and a Concat of two values of the scales 0.5 and `other`.
graph::Graph joined(const std::string& other) {
  return graph::parse("t = float32[] {" + other + R"(}
      s = float32[] {0.5}
      z = int8[] {0}
      codes = int8[1,2,1,1] {1}
      ws = float32[1] {0.5}
      wz = int8[1] {0}
      q = QuantizeLinear(x, s, z)
      d = DequantizeLinear(q, s, z)
      p = MaxPool(d) kernel_shape=[1,1]
      q2 = QuantizeLinear(x2, t, z)
      d2 = DequantizeLinear(q2, t, z)
      c = Concat(p, d2) axis=1
      w = DequantizeLinear(codes, ws, wz) axis=0
      y = Conv(c, w) @conv
      return y)");
}

TEST(Lint, LooksThroughOperatorsThatOnlyMoveCodes) { EXPECT_TRUE(lint(joined("0.5"))[0].int8); }

TEST(Lint, SaysThatAConcatJoinsDifferentScales) {
  const auto row = lint(joined("0.25"))[0];

  EXPECT_FALSE(row.int8);
  EXPECT_THAT(row.obstacles, ElementsAre("its input 'c' joins values of different scales"));
}

struct Fault {
  const char* why;
  const char* from;
  const char* to;
  const char* obstacle;
  const char* limit;
};

void PrintTo(const Fault& row, std::ostream* out) { *out << row.why; }

class LintFinds : public testing::TestWithParam<Fault> {};

TEST_P(LintFinds, TheFault) {
  const Fault& fault = GetParam();

  const auto rows = lint_with(fault.from, fault.to);

  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].int8, fault.obstacle == nullptr);
  if (fault.obstacle != nullptr) {
    EXPECT_THAT(rows[0].obstacles, ElementsAre(HasSubstr(fault.obstacle)));
  }
  if (fault.limit != nullptr) {
    EXPECT_THAT(rows[0].limits, ElementsAre(HasSubstr(fault.limit)));
  }
}

constexpr Fault kFaults[] = {
    {"FloatInput", "Conv(d, w)", "Conv(x, w)", "'x' is not quantized", nullptr},
    {"FloatWeight", "Conv(d, w)", "Conv(d, ws)", "weight is not quantized", nullptr},
    {"PerChannelInput", "s = float32[] {0.5}", "s = float32[2] {0.5}", "2 scales", nullptr},
    {"WrongAxis", "axis=0", "axis=1", "scales along axis 1", nullptr},
    {"Unsigned", "z = int8[] {0}", "z = uint8[] {128}", nullptr, "TensorRT: uint8"},
    {"ZeroPoint", "z = int8[] {0}", "z = int8[] {3}", nullptr, "TensorRT: zero point"},
    {"BetweenConvAndActivation", "g = Sigmoid(y)",
     "a = QuantizeLinear(y, s, z)\n b = DequantizeLinear(a, s, z)\n g = Sigmoid(b)", nullptr,
     "between Conv and its activation"},
};

INSTANTIATE_TEST_SUITE_P(That, LintFinds, testing::ValuesIn(kFaults),
                         [](const auto& row) { return std::string(row.param.why); });

}  // namespace
}  // namespace yoloq::quantize
