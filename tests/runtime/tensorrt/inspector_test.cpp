// SPDX-License-Identifier: Apache-2.0
#include "runtime/tensorrt/inspector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "runtime/unfused.h"

namespace yoloq::runtime::tensorrt {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// As TensorRT 8.5 writes it: origins are in the names only.
constexpr auto kDetailed = R"json({"Layers": [
  {"Name": "model.0.conv + PWN(PWN(model.0.act/Sigmoid), model.0.act/Mul)",
   "LayerType": "CaskConvolution",
   "Inputs": [{"Name": "x",
               "Format/Datatype": "Four wide channel vectorized row major Int8 format"}],
   "Outputs": [{"Name": "y",
                "Format/Datatype": "Thirty-two wide channel vectorized row major Int8 format"}],
   "ParameterType": "Convolution", "TacticName": "sm80_xmma_fprop"},
  {"Name": "Reformatting CopyNode for Input Tensor 0 to model.1", "LayerType": "Reformat",
   "Inputs": [{"Name": "y", "Format/Datatype": "Row major linear FP32"}],
   "Outputs": [{"Name": "z", "Format/Datatype": "Row major linear Int8"}]},
  {"Name": "model.2.cv1.conv || model.2.cv2.conv", "LayerType": "CaskConvolution",
   "Inputs": [{"Name": "z", "Format/Datatype": "Channel major FP16 format where channel % 8 == 0"}],
   "Outputs": [], "ParameterType": "Convolution"}],
  "Bindings": ["x", "y"]
})json";

TEST(Inspector, ReadsWhatWasFusedIntoALayer) {
  const auto layers = read_layers(kDetailed);

  ASSERT_EQ(layers.size(), 3u);
  EXPECT_THAT(layers[0].origins,
              ElementsAre("model.0.conv", "model.0.act/Sigmoid", "model.0.act/Mul"));
  EXPECT_EQ(layers[0].kind, "Convolution");
  EXPECT_EQ(layers[0].kernel, "sm80_xmma_fprop");
  EXPECT_THAT(layers[0].format, HasSubstr("Thirty-two wide"));
}

TEST(Inspector, TakesThePrecisionFromTheFirstInput) {
  const auto layers = read_layers(kDetailed);

  EXPECT_EQ(layers[0].precision, "i8");
  EXPECT_EQ(layers[1].precision, "f32");
  EXPECT_EQ(layers[2].precision, "f16");
}

TEST(Inspector, CountsConvolutionsThatAreComputedSideBySide) {
  const auto layers = read_layers(kDetailed);

  EXPECT_EQ(layers[0].convolutions, 1);
  EXPECT_EQ(layers[1].convolutions, 0);
  EXPECT_EQ(layers[2].convolutions, 2);
  EXPECT_THAT(layers[2].origins, ElementsAre("model.2.cv1.conv", "model.2.cv2.conv"));
}

TEST(Inspector, PrefersTheOriginsThatLaterVersionsSay) {
  const auto layers = read_layers(R"({"Layers": [
    {"Name": "__myl_fused", "LayerType": "kgen",
     "Metadata": "[ONNX Layer: model.0.conv][ONNX Layer: model.0.act/Mul]"}]})");

  EXPECT_THAT(layers[0].origins, ElementsAre("model.0.conv", "model.0.act/Mul"));
  EXPECT_EQ(layers[0].kind, "kgen");
}

TEST(Inspector, KnowsTheConvolutionsOfTheCompilerThatTensorRtRtxHas) {
  const auto layers = read_layers(R"({"Layers": [
    {"Name": "model.0.conv_myl0_3", "LayerType": "correlation",
     "Inputs": [{"Name": "x", "Datatype": "Int8", "Format": "(NHWC) Channel major format"}],
     "Outputs": [{"Name": "y", "Datatype": "Float", "Format": "(NHWC) Channel major format"}],
     "Metadata": "[ONNX Layer: model.0.conv]"}]})");

  EXPECT_EQ(layers[0].convolutions, 1);
  EXPECT_EQ(layers[0].precision, "i8");
  EXPECT_EQ(layers[0].format, "Float, (NHWC) Channel major format");
  EXPECT_TRUE(is_int8(layers[0]));
}

TEST(Inspector, TellsConvolutionsByKindAndName) {
  EXPECT_TRUE(is_convolution("CaskConvolution", "a"));
  EXPECT_TRUE(is_convolution("correlation", "model.0.conv_myl0_3"));
  EXPECT_TRUE(is_convolution("runtime_fusion", "__myl_CorrSilu_myl0_4"));
  EXPECT_TRUE(is_convolution("runtime_fusion", "__myl_FcAddSilu_myl0_9"));
  EXPECT_FALSE(is_convolution("runtime_fusion", "__myl_MulAdd_myl0_4"));
  EXPECT_FALSE(is_convolution("kgen", "__myl_MulAddSilu_myl0_5"));
}

TEST(Inspector, ReadsTheShortStyleThatHasNamesOnly) {
  const auto layers = read_layers(R"({"Layers": ["model.0.conv + model.0.act"], "Bindings": []})");

  EXPECT_EQ(layers[0].name, "model.0.conv + model.0.act");
  EXPECT_THAT(layers[0].origins, ElementsAre("model.0.conv", "model.0.act"));
  EXPECT_THAT(layers[0].precision, IsEmpty());
}

TEST(Inspector, RefusesWhatIsNoLayerInformation) {
  for (const auto* text : {"", "{", "[]", "{}", R"({"Layers": 3})"}) {
    EXPECT_THROW(read_layers(text), Error) << text;
  }
}

TEST(Unfused, SaysWhyAReaderShouldCare) {
  const auto layers = read_layers(kDetailed);

  EXPECT_THAT(why_unfused(layers[0]), IsEmpty());
  EXPECT_THAT(std::string(why_unfused(layers[1])), HasSubstr("neighbours disagree"));
}

TEST(Unfused, CountsKinds) {
  const auto counts = count_kinds(read_layers(kDetailed));

  EXPECT_EQ(counts.at("Convolution"), 2);
  EXPECT_EQ(counts.at("Reformat"), 1);
}

}  // namespace
}  // namespace yoloq::runtime::tensorrt
