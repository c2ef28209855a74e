// SPDX-License-Identifier: Apache-2.0
#include "runtime/tensorrt/build_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace yoloq::runtime::tensorrt {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::Field;
using testing::IsEmpty;

// Shortened from what TensorRT-RTX 1.7.1 logs.
constexpr auto kMessage = R"(Layers:
Name: entry_0, LayerType: signal, Inputs: [], Constants: [], Outputs: [], TacticName: , Metadata: 
Name: model.0.conv_myl0_3, LayerType: correlation, Inputs: [ { Name: x8, Dimensions: [1,4,8,8], Datatype: Int8, Format: (NHWC) Channel major format }], Constants: [ { Name: w, Dimensions: [16,4,6,6], Datatype: Int8, Format: (NHWC) Channel major format }, { Name: b, Dimensions: [1,16,1,1], Datatype: Float, Format: (NHWC) Channel major format }], Outputs: [ { Name: y, Dimensions: [1,16,4,4], Datatype: Float, Format: (NHWC) Channel major format }], TacticName: stub, Metadata: [ONNX Layer: model.0.conv][ONNX Layer: images/DequantizeLinear]
Name: model.1.conv_myl0_5, LayerType: correlation, Inputs: [ { Name: y, Dimensions: [1,16,4,4], Datatype: Half, Format: (NHWC) Channel major format }], Constants: [ { Name: v, Dimensions: [8,16,1,1], Datatype: Half, Format: (NHWC) Channel major format }], Outputs: [], TacticName: stub, Metadata: [ONNX Layer: model.1.conv]

I/O Tensors:
 Name: images, IOMode: Input, DataType: Float
)";

TEST(BuildLog, ReadsEachLayerOfTheList) {
  const auto layers = read_build_log(kMessage);

  ASSERT_EQ(layers.size(), 3u);
  EXPECT_EQ(layers[1].name, "model.0.conv_myl0_3");
  EXPECT_EQ(layers[1].kind, "correlation");
  EXPECT_THAT(layers[1].origins, ElementsAre("model.0.conv", "images/DequantizeLinear"));
}

TEST(BuildLog, ReadsTensorsWithTheirTypes) {
  const auto layers = read_build_log(kMessage);

  const auto tensor = [](const char* name, const char* type) {
    return AllOf(Field(&BuiltTensor::name, name), Field(&BuiltTensor::type, type));
  };
  EXPECT_THAT(layers[1].inputs, ElementsAre(tensor("x8", "Int8")));
  EXPECT_THAT(layers[1].constants, ElementsAre(tensor("w", "Int8"), tensor("b", "Float")));
  EXPECT_THAT(layers[1].outputs, ElementsAre(tensor("y", "Float")));
}

TEST(BuildLog, TakesNothingFromALaterListWhereOneIsEmpty) {
  const auto layers = read_build_log(kMessage);

  EXPECT_THAT(layers[0].inputs, IsEmpty());
  EXPECT_THAT(layers[0].constants, IsEmpty());
  EXPECT_THAT(layers[0].outputs, IsEmpty());
  EXPECT_THAT(layers[0].origins, IsEmpty());
  EXPECT_THAT(layers[2].outputs, IsEmpty());
}

TEST(BuildLog, TellsConvolutionsInInt8FromOthers) {
  const auto layers = read_build_log(kMessage);

  EXPECT_FALSE(is_convolution(layers[0]));
  EXPECT_TRUE(is_int8_convolution(layers[1]));
  EXPECT_TRUE(is_convolution(layers[2]));
  EXPECT_FALSE(is_int8_convolution(layers[2]));
}

TEST(BuildLog, GivesRowsOfALayerTable) {
  const auto layers = read_build_log(kMessage);

  EXPECT_FALSE(computes(layers[0]));
  EXPECT_TRUE(computes(layers[1]));
  const LayerInfo int8 = layer_info(layers[1]);
  EXPECT_EQ(int8.kind, "correlation");
  EXPECT_EQ(int8.precision, "i8");
  EXPECT_EQ(int8.convolutions, 1);
  EXPECT_THAT(int8.origins, ElementsAre("model.0.conv", "images/DequantizeLinear"));
  EXPECT_EQ(layer_info(layers[2]).precision, "f16");
  EXPECT_EQ(layer_info(layers[0]).convolutions, 0);
}

TEST(BuildLog, CountsAConvolutionWithFloatWeightsAsFloat) {
  auto layer = read_build_log(kMessage).at(1);
  layer.constants.at(0).type = "Float";

  EXPECT_EQ(layer_info(layer).precision, "f32");
}

TEST(BuildLog, FindsNothingInOtherMessages) {
  for (const auto* message :
       {"", "Layers:", "Layers:\n", "Engine generation completed", "Name: a"}) {
    EXPECT_THAT(read_build_log(message), IsEmpty()) << message;
  }
}

TEST(BuildLog, StopsWhereALineIsCutOff) {
  const auto layers =
      read_build_log("Layers:\nName: a, LayerType: kgen, Inputs: [ { Name: x, Data");

  ASSERT_EQ(layers.size(), 1u);
  EXPECT_EQ(layers[0].kind, "kgen");
}

}  // namespace
}  // namespace yoloq::runtime::tensorrt
