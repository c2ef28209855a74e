// SPDX-License-Identifier: Apache-2.0
#include "runtime/openvino/avoid_saturation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>

#include "graph/text.h"
#include "graph/verify.h"

namespace yoloq::runtime::openvino {
namespace {

using graph::Graph;
using graph::parse;
using graph::to_text;
using graph::to_text_with_constants;
using testing::ElementsAre;

TEST(AvoidSaturation, StoresAWeightThatCanSaturateAsFloat) {
  // The second output: 65 + 64 is 129, and 255 * 129 is beyond 2^15.
  Graph graph = parse(R"(
      s = float32[2] {0.5,2.0}
      z = int8[2] {0,0}
      c = int8[2,2,1,1] {3,5,65,64}
      u = uint8[] {128}
      a = float32[] {0.1}
      q = QuantizeLinear(x, a, u)
      d = DequantizeLinear(q, a, u)
      w = DequantizeLinear(c, s, z) axis=0
      y = Conv(d, w)
      return y)");

  EXPECT_EQ(avoid_saturation(graph), (SaturationCount{.quantized = 1, .in_float = 1}));

  EXPECT_EQ(to_text(graph),
            "q = QuantizeLinear(x, a, u)\n"
            "d = DequantizeLinear(q, a, u)\n"
            "y = Conv(d, w)\n"
            "return y\n");
  EXPECT_THAT(graph.constant("w")->values<float>(),
              ElementsAre(3 * 0.5f, 5 * 0.5f, 65 * 2.0f, 64 * 2.0f));
  EXPECT_EQ(graph.constant("c"), nullptr);
  graph::verify(graph);
}

TEST(AvoidSaturation, ChoosesLayerByLayer) {
  Graph graph = parse(R"(
      s = float32[] {0.5}
      c = int8[1,2,1,1] {-65,-64}
      e = int8[1,2,1,1] {-64,-64}
      w = DequantizeLinear(c, s)
      v = DequantizeLinear(e, s)
      y = Conv(x, w)
      h = Conv(y, v)
      return h)");

  EXPECT_EQ(avoid_saturation(graph), (SaturationCount{.quantized = 2, .in_float = 1}));

  EXPECT_EQ(to_text(graph),
            "v = DequantizeLinear(e, s)\n"
            "y = Conv(x, w)\n"
            "h = Conv(y, v)\n"
            "return h\n");
}

TEST(AvoidSaturation, CountsEachLayerOfASharedWeight) {
  Graph graph = parse(R"(
      s = float32[] {0.5}
      c = int8[1,2,1,1] {127,127}
      w = DequantizeLinear(c, s)
      y = Conv(x, w)
      h = Conv(x, w)
      return y, h)");

  EXPECT_EQ(avoid_saturation(graph), (SaturationCount{.quantized = 2, .in_float = 2}));

  EXPECT_EQ(to_text(graph), "y = Conv(x, w)\nh = Conv(x, w)\nreturn y, h\n");
}

TEST(AvoidSaturation, RoundsAWeightThatIsQuantizedWhenLoaded) {
  Graph graph = parse(R"(
      s = float32[] {0.5}
      z = int8[] {0}
      f = float32[1,2,1,1] {0.6,100.0}
      c = QuantizeLinear(f, s, z)
      w = DequantizeLinear(c, s, z)
      y = Conv(x, w)
      return y)");

  EXPECT_EQ(avoid_saturation(graph), (SaturationCount{.quantized = 1, .in_float = 1}));

  EXPECT_EQ(to_text(graph), "y = Conv(x, w)\nreturn y\n");
  EXPECT_THAT(graph.constant("w")->values<float>(), ElementsAre(1 * 0.5f, 127 * 0.5f));
}

TEST(AvoidSaturation, FindsNothingOnASecondRun) {
  Graph graph = parse(R"(
      s = float32[] {0.5}
      c = int8[1,2,1,1] {127,127}
      w = DequantizeLinear(c, s)
      y = Conv(x, w)
      return y)");

  avoid_saturation(graph);

  EXPECT_EQ(avoid_saturation(graph), SaturationCount{});
}

struct Row {
  const char* why;
  const char* graph;
  SaturationCount count;
};

void PrintTo(const Row& row, std::ostream* out) { *out << row.why; }

class AvoidSaturationLeavesAlone : public testing::TestWithParam<Row> {};

TEST_P(AvoidSaturationLeavesAlone, TheGraph) {
  Graph graph = parse(std::string("s = float32[] {1.0}\nz = int8[] {0}\n") + GetParam().graph);
  const std::string before = to_text_with_constants(graph);

  EXPECT_EQ(avoid_saturation(graph), GetParam().count);
  EXPECT_EQ(to_text_with_constants(graph), before);
}

constexpr SaturationCount kSafe{.quantized = 1, .in_float = 0};
constexpr SaturationCount kNone{};

constexpr Row kAvoidSaturationLeaves[] = {
    {"TheTwoLargestCodesFit", R"(
        c = int8[1,3,1,1] {127,1,-128}
        w = DequantizeLinear(c, s, z)
        y = Conv(x, w)
        return y)",
     kSafe},
    {"LargeCodesBelongToDifferentOutputs", R"(
        c = int8[2,1,1,1] {127,127}
        w = DequantizeLinear(c, s, z)
        y = Conv(x, w)
        return y)",
     kSafe},
    {"LargeCodesHaveOppositeSigns", R"(
        c = int8[1,2,1,1] {127,-127}
        w = DequantizeLinear(c, s)
        y = Conv(x, w)
        return y)",
     kSafe},
    {"TheWeightIsFloat", R"(
        w = float32[1,2,1,1] {127.0,127.0}
        y = Conv(x, w)
        return y)",
     kNone},
    {"TheWeightIsComputed", R"(
        q = QuantizeLinear(v, s, z)
        w = DequantizeLinear(q, s, z)
        y = Conv(x, w)
        return y)",
     kNone},
    {"TheScaleIsComputed", R"(
        c = int8[1,2,1,1] {127,127}
        t = Identity(s)
        w = DequantizeLinear(c, t, z)
        y = Conv(x, w)
        return y)",
     kNone},
    {"NoLayerReadsIt", R"(
        c = int8[1,2,1,1] {127,127}
        w = DequantizeLinear(c, s, z)
        y = Add(x, w)
        return y)",
     kNone},
};

INSTANTIATE_TEST_SUITE_P(Where, AvoidSaturationLeavesAlone,
                         testing::ValuesIn(kAvoidSaturationLeaves),
                         [](const auto& row) { return std::string(row.param.why); });

class AvoidSaturationTakesNoRisk : public testing::TestWithParam<Row> {};

TEST_P(AvoidSaturationTakesNoRisk, With) {
  Graph graph = parse(std::string("s = float32[] {1.0}\n") + GetParam().graph);

  EXPECT_EQ(avoid_saturation(graph), GetParam().count);
}

constexpr SaturationCount kFloat{.quantized = 1, .in_float = 1};

constexpr Row kRisky[] = {
    {"UnsignedWeights", R"(
        c = uint8[1,2,1,1] {1,1}
        w = DequantizeLinear(c, s)
        y = Conv(x, w)
        return y)",
     kFloat},
    {"AWeightZeroPoint", R"(
        o = int8[] {100}
        c = int8[1,2,1,1] {1,1}
        w = DequantizeLinear(c, s, o)
        y = Conv(x, w)
        return y)",
     kFloat},
    {"AMatrixWhoseOutputsLieAnyWay", R"(
        c = int8[2,1] {127,127}
        w = DequantizeLinear(c, s)
        y = MatMul(x, w)
        return y)",
     kFloat},
    {"CodesThatMeetAcrossTaps", R"(
        c = int8[1,1,1,2] {127,127}
        w = DequantizeLinear(c, s)
        y = Conv(x, w)
        return y)",
     kFloat},
};

INSTANTIATE_TEST_SUITE_P(Of, AvoidSaturationTakesNoRisk, testing::ValuesIn(kRisky),
                         [](const auto& row) { return std::string(row.param.why); });

}  // namespace
}  // namespace yoloq::runtime::openvino
