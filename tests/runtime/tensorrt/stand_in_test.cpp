// SPDX-License-Identifier: Apache-2.0
// What TensorRT's compiler makes of yoloq's files, seen without a GPU.
#include "runtime/tensorrt/stand_in.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>

#include "core/error.h"
#include "graph/text.h"
#include "pipeline/detector.h"
#include "pipeline/model.h"
#include "support/data.h"

namespace yoloq::runtime::tensorrt {
namespace {

using quantize::Precision;
using quantize::Residual;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

struct Variant {
  const char* name;
  const char* model;
  quantize::Options options;
  FloatType float_type = FloatType::f32;
};

void PrintTo(const Variant& row, std::ostream* out) { *out << row.name; }

/// "tiny" needs no data; the others skip without.
class StandIn : public testing::TestWithParam<Variant> {
 protected:
  void SetUp() override {
    if (!test::kStandIn) GTEST_SKIP() << test::kNoStandIn;
    if (GetParam().model != std::string("tiny") && !test::data_folder()) {
      GTEST_SKIP() << test::kNoData;
    }
  }

  test::Source source() const { return test::source_named(GetParam().model, folder_.path()); }

  test::Quantized quantized() const { return test::quantize(source(), GetParam().options); }

 private:
  test::TemporaryFolder folder_;
};

int convolutions_of(const graph::Graph& graph) {
  const auto nodes = graph.nodes();
  return static_cast<int>(
      std::ranges::count_if(nodes, [&](graph::NodeId id) { return graph[id].op == "Conv"; }));
}

using WholeModel = StandIn;  // Quantized.
using FloatModel = StandIn;

TEST_P(FloatModel, RunsNoConvolutionInInt8) {
  const auto model = pipeline::load_model(source().checkpoint, {.size = test::kSize});

  const auto built = test::build(model.fixed);

  EXPECT_EQ(built.convolutions(), convolutions_of(model.fixed));
  EXPECT_EQ(built.int8(), 0);
  EXPECT_EQ(pipeline::executed_layers(*built.engine).int8, 0);
}

INSTANTIATE_TEST_SUITE_P(Of, FloatModel,
                         testing::Values(Variant{"Tiny", "tiny", {}},
                                         Variant{"Yolov5n", "yolov5n", {}}),
                         [](const auto& row) { return row.param.name; });

TEST_P(WholeModel, RunsEveryConvolutionInInt8AndHandsItsFloatResultToSilu) {
  const auto [graph, int8_layers] = quantized();

  const auto built = test::build(graph);

  ASSERT_EQ(int8_layers, convolutions_of(graph));
  EXPECT_EQ(built.convolutions(), int8_layers);
  EXPECT_EQ(built.int8(), int8_layers);
  EXPECT_EQ(pipeline::executed_layers(*built.engine).total, int8_layers);
  EXPECT_EQ(pipeline::executed_layers(*built.engine).int8, int8_layers);
  EXPECT_THAT(test::parted_from_activation(graph, built), IsEmpty());
  EXPECT_EQ(built.engine->float_type(), GetParam().float_type);
  EXPECT_EQ(built.has_type("Half"), GetParam().float_type == FloatType::f16);
}

INSTANTIATE_TEST_SUITE_P(
    Of, WholeModel,
    testing::Values(
        Variant{"Tiny", "tiny", {}}, Variant{"Yolov5n", "yolov5n", {}},
        Variant{"Yolov5nResidualBoth", "yolov5n", {.residual = Residual::both}},
        Variant{"Yolov5nResidualNone", "yolov5n", {.residual = Residual::none}},
        Variant{"Yolov5nFloatTypeFp16", "yolov5n", {.float_type = Precision::fp16}, FloatType::f16},
        Variant{"Yolov5sOfRelease5", "yolov5s-v5.0-random", {}}),
    [](const auto& row) { return row.param.name; });

/// That the check above can fail.
TEST(PartedFromActivation, SeesAQuantizerBetweenConvolutionAndSilu) {
  if (!test::kStandIn) GTEST_SKIP() << test::kNoStandIn;
  graph::Graph graph = graph::parse(R"(
      input x float32[1,32,16,16]
      s = float32[] {0.05}
      z = int8[] {0}
      q = QuantizeLinear(x, s, z)
      d = DequantizeLinear(q, s, z)
      w = DequantizeLinear(codes, s, z)
      y = Conv(d, w) @conv
      yq = QuantizeLinear(y, s, z) @y/QuantizeLinear
      yd = DequantizeLinear(yq, s, z) @y/DequantizeLinear
      a = Sigmoid(yd) @act
      m = Mul(yd, a)
      return m)");
  graph.constants["codes"] = Tensor::of({32, 32, 1, 1}, std::vector<std::int8_t>(32 * 32, 3));
  std::erase_if(graph.inputs, [](const graph::Port& port) { return port.name != "x"; });
  const auto built = test::build(graph);

  EXPECT_EQ(built.int8(), 1);
  EXPECT_THAT(test::parted_from_activation(graph, built), testing::SizeIs(1));

  graph[*graph.producer("a")].inputs = {"y"};  // Only the plan can show it now.
  EXPECT_THAT(test::parted_from_activation(graph, built), testing::SizeIs(1));
}

using MixedPrecision = StandIn;

TEST_P(MixedPrecision, KeepsEachLayerInTheTypeThatThePlanSays) {
  const auto [graph, int8_layers] = quantized();

  const auto built = test::build(graph);

  EXPECT_EQ(built.convolutions(), convolutions_of(graph));
  EXPECT_EQ(built.int8(), int8_layers);
  EXPECT_EQ(built.of("model.1.conv").inputs.at(0).type, "Half");
  EXPECT_EQ(built.of("model.24.m.2").inputs.at(0).type, "Float");
  EXPECT_EQ(built.of("model.24.m.1").inputs.at(0).type, "Float");
  EXPECT_THAT(test::parted_from_activation(graph, built), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Of, MixedPrecision,
                         testing::Values(Variant{
                             "Yolov5n",
                             "yolov5n",
                             {.rules = {{"model.24.m.1", Precision::fp32, "--skip-layers"},
                                        {"model.24.m.2", Precision::fp32, "--skip-layers"},
                                        {"model.1.conv", Precision::fp16, "--layer-precision"}}}}),
                         [](const auto& row) { return row.param.name; });

using AsymmetricTarget = StandIn;

TEST_P(AsymmetricTarget, IsRefusedWithTheTargetToWriteInstead) {
  const auto graph = quantized().graph;

  try {
    test::build(graph);
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unsupported);
    EXPECT_THAT(error.what(), AllOf(HasSubstr("/QuantizeLinear' (QuantizeLinear)"),
                                    HasSubstr("uint8"), HasSubstr("--target tensorrt")));
  }
}

/// Each model with each target that writes uint8.
std::vector<Variant> asymmetric() {
  std::vector<Variant> rows;
  for (const char* target : {"openvino", "onnxruntime"}) {
    for (const char* model : {"tiny", "yolov5n", "yolov5s-v5.0-random"}) {
      rows.push_back({target, model, {.target = target}});
    }
  }
  return rows;
}

INSTANTIATE_TEST_SUITE_P(Of, AsymmetricTarget, testing::ValuesIn(asymmetric()),
                         [](const auto& row) {
                           std::string name = std::string(row.param.name) + "_" + row.param.model;
                           std::erase_if(name, [](char c) { return c == '-' || c == '.'; });
                           return name;
                         });

TEST(StandInParser, NamesTheNodeThatItDoesNotKnow) {
  if (!test::kStandIn) GTEST_SKIP() << test::kNoStandIn;

  try {
    test::build(graph::parse("input x float32[2]\ny = acme::Frobnicate(x) @model.9.m\nreturn y"));
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::backend);
    EXPECT_THAT(error.what(), AllOf(HasSubstr("model.9.m"), HasSubstr("Frobnicate")));
  }
}

TEST(StandInTypes, AreThoseOfTheFile) {
  if (!test::kStandIn) GTEST_SKIP() << test::kNoStandIn;
  const auto graph = graph::parse("input x float32[2]\ny = Relu(x)\nreturn y");

  EXPECT_THROW(test::build(graph, {.float_type = FloatType::f16}), Error);
  EXPECT_EQ(test::build(graph).engine->float_type(), FloatType::f32);
}

TEST(StandInEngine, CannotRunAndSaysSo) {
  if (!test::kStandIn) GTEST_SKIP() << test::kNoStandIn;
  const auto built = test::build(graph::parse("input x float32[2]\ny = Relu(x)\nreturn y"));
  if (built.engine->runnable()) GTEST_SKIP() << "there is a GPU: the engine can run";

  try {
    built.engine->make_request();
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unsupported);
    EXPECT_THAT(error.what(), HasSubstr("no GPU can be used"));
  }
}

}  // namespace
}  // namespace yoloq::runtime::tensorrt
