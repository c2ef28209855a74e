// SPDX-License-Identifier: Apache-2.0
#include "model/read_yaml.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "core/error.h"
#include "model/emit.h"
#include "model/visit.h"

namespace yoloq::model {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

/// A yaml of two heads around `rows`, which read layer 0 (8 channels, stride 2) and are layer 1 on.
/// The heads read the last row and a convolution behind it.
std::string yaml_around(const std::string& rows, const std::string& keys = {}) {
  const auto count = static_cast<int>(std::ranges::count(rows, '\n')) + 1;
  const std::string last = std::to_string(count);
  const std::string next = std::to_string(count + 1);
  return "nc: 4\ndepth_multiple: 0.5\nwidth_multiple: 0.5\n" + keys +
         "anchors:\n  - [10,13, 16,30]\n  - [30,61, 62,45]\n"
         "backbone:\n  - [-1, 1, Conv, [16, 3, 2]]\n  - " +
         rows +
         "\nhead:\n  - [-1, 1, Conv, [16, 3, 2]]\n"
         "  - [[" +
         last + ", " + next + "], 1, Detect, [nc, anchors]]\n";
}

Module module_of(const std::string& row) {
  return describe_yaml(yaml_around(row), {.seed = std::nullopt}).layers.at(1).module;
}

std::string message_of(const std::string& text, ErrorCode code = ErrorCode::corrupt_file,
                       const YamlOptions& options = {}) {
  try {
    describe_yaml(text, options);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    return error.what();
  }
  return "no error";
}

TEST(DescribeYaml, ScalesWidthToEightsAndNumbersAsPythonRounds) {
  // Width 0.5: 20 * 0.5 = 10, up to 16. Depth 0.5: 5 * 0.5 = 2.5, to the even 2.
  const auto c3 = std::get<C3>(module_of("[-1, 5, C3, [20]]").kind);

  EXPECT_EQ(c3.m.size(), 2u);
  EXPECT_EQ(c3.cv1.conv.weight.shape(), (Shape{8, 8, 1, 1}));
  EXPECT_EQ(c3.cv3.conv.weight.shape(), (Shape{16, 16, 1, 1}));
  EXPECT_TRUE(c3.m[0].add);
  EXPECT_EQ(std::get<C3>(module_of("[-1, 7, C3, [20]]").kind).m.size(), 4u);  // 3.5, to the even 4.
  EXPECT_EQ(std::get<C3>(module_of("[-1, 1, C3, [20]]").kind).m.size(), 1u);
}

TEST(DescribeYaml, RepeatsOtherModulesAsASequential) {
  const auto sequence = std::get<Sequential>(module_of("[-1, 4, Bottleneck, [16]]").kind);

  ASSERT_EQ(sequence.modules.size(), 2u);
  EXPECT_EQ(std::get<Bottleneck>(sequence.modules[1].kind).cv2.conv.weight.shape(),
            (Shape{8, 4, 3, 3}));
}

TEST(DescribeYaml, LeavesAWidthOfHeadChannelsAlone) {
  // 2 anchors * (5 + 4 classes) = 18: not scaled to 16.
  const auto conv = std::get<Conv>(module_of("[-1, 1, Conv, [18, 1, 1]]").kind);

  EXPECT_EQ(conv.conv.weight.shape()[0], 18);
}

TEST(DescribeYaml, ReadsTheArgumentsOfConv) {
  const auto conv =
      std::get<Conv>(module_of("[-1, 1, Conv, [32, [3, 5], 2, None, 4, False]]").kind);

  EXPECT_EQ(conv.conv.weight.shape(), (Shape{16, 2, 3, 5}));
  EXPECT_EQ(conv.conv.stride, (Pair{2, 2}));
  EXPECT_EQ(conv.conv.padding, (Pair{1, 2}));
  EXPECT_EQ(conv.conv.groups, 4);
  EXPECT_EQ(conv.act.kind, Activation::Kind::identity);

  const auto dilated =
      std::get<Conv>(module_of("[-1, 1, Conv, [32, 3, 1, None, 1, 2, 'nn.ReLU()']]").kind);
  EXPECT_EQ(dilated.conv.dilation, (Pair{2, 2}));
  EXPECT_EQ(dilated.conv.padding, (Pair{2, 2}));
  EXPECT_EQ(dilated.act.kind, Activation::Kind::relu);
}

TEST(DescribeYaml, KnowsEveryModule) {
  const std::vector<std::string> rows{
      "[-1, 1, DWConv, [32, 3, 1]]",
      "[-1, 1, Focus, [32, 3]]",
      "[-1, 1, CrossConv, [16, 3, 1, 1, 1.0, True]]",
      "[-1, 2, BottleneckCSP, [16, False]]",
      "[-1, 2, C3x, [16]]",
      "[-1, 1, C3SPP, [16, [3, 5]]]",
      "[-1, 1, SPP, [16]]",
      "[-1, 1, SPPF, [16, 3]]",
      "[[-1, 0], 1, Concat, [1]]",
      "[-1, 1, Contract, [2]]",
      "[-1, 1, Expand, [2]]",
      "[-1, 1, nn.Upsample, [None, 2, 'nearest']]",
      "[-1, 1, Upsample, [None, 2, nearest]]",
      "[-1, 1, nn.Conv2d, [8, 12, 3, 1, 1]]",
      "[-1, 1, nn.BatchNorm2d, [8]]",
      "[-1, 1, nn.MaxPool2d, [2, 2]]",
      "[-1, 1, nn.SiLU, []]",
      "[-1, 1, nn.LeakyReLU, [0.1]]",
  };
  for (const std::string& row : rows) {
    const Description made = describe_yaml(yaml_around(row));
    EXPECT_NO_THROW(emit(made, {.height = 64, .width = 64})) << row;
  }
}

TEST(DescribeYaml, DWConvHasAsManyGroupsAsBothSidesAllow) {
  const auto conv = std::get<Conv>(module_of("[-1, 1, DWConv, [24, 3]]").kind);

  EXPECT_EQ(conv.conv.groups, 8);  // gcd(8, 16).
}

TEST(DescribeYaml, FindsStridesFromTheLayers) {
  const ModelInfo info = describe_yaml(yaml_around("[-1, 1, Conv, [16, 3, 2]]")).info;

  EXPECT_THAT(info.strides, ElementsAre(4, 8));
  EXPECT_EQ(info.max_stride, 8);
}

TEST(DescribeYaml, TurnsAnchorsRoundThatFallWhereStridesRise) {
  const YamlOptions falling{.anchors = {{{60, 60}}, {{10, 10}}}};
  const YamlOptions rising{.anchors = {{{10, 10}}, {{60, 60}}}};
  const std::string text = yaml_around("[-1, 1, Conv, [16, 3, 2]]");

  EXPECT_EQ(describe_yaml(text, falling).info.anchors, rising.anchors);
  EXPECT_EQ(describe_yaml(text, rising).info.anchors, rising.anchors);
}

TEST(DescribeYaml, TakesClassesAndNamesFromTheOptions) {
  const std::string text = yaml_around("[-1, 1, Conv, [16, 3, 2]]");
  const ModelInfo named =
      describe_yaml(text, {.name = "my.yaml", .class_count = 2, .names = {"cat", "dog"}}).info;

  EXPECT_EQ(named.class_count, 2);
  EXPECT_THAT(named.names, ElementsAre("cat", "dog"));
  EXPECT_EQ(named.task, "detect");
  EXPECT_EQ(named.origin.at("architecture"), "my.yaml");
  EXPECT_THAT(describe_yaml(text).info.names, ElementsAre("0", "1", "2", "3"));
}

TEST(DescribeYaml, TakesAnotherActivation) {
  const Description made = describe_yaml(
      yaml_around("[-1, 1, C3, [16]]", "activation: nn.LeakyReLU(0.1, inplace=True)\n"));
  const auto& c3 = std::get<C3>(made.layers[1].module.kind);

  EXPECT_EQ(c3.m[0].cv2.act, (Activation{Activation::Kind::leaky_relu, 0.1f}));
}

TEST(DescribeYaml, ReadsLayersFromAnywhereBefore) {
  const Description made = describe_yaml(yaml_around("[[-1, 0], 1, Concat, [1]]"));

  EXPECT_THAT(made.layers[1].from, ElementsAre(-1, 0));
  EXPECT_THAT(
      describe_yaml(yaml_around("[-1, 1, nn.SiLU, []]\n  - [-2, 1, Conv, [16]]")).layers[2].from,
      ElementsAre(0));
}

TEST(DescribeYaml, WithoutASeedConvolutionsAreZero) {
  const Description made =
      describe_yaml(yaml_around("[-1, 1, Conv, [16]]"), {.seed = std::nullopt});
  const auto& conv = std::get<Conv>(made.layers[1].module.kind);

  EXPECT_THAT(conv.conv.weight.to_floats(), testing::Each(0.0f));
}

struct Fault {
  const char* row;
  ErrorCode code;
  const char* says;
};

TEST(DescribeYamlRefuses, RowsThatItCannotBuildByLine) {
  constexpr auto kCorrupt = ErrorCode::corrupt_file;
  constexpr auto kUnsupported = ErrorCode::unsupported;
  const std::vector<Fault> faults{
      {"[-1, 1, GhostConv, [16]]", kUnsupported, "the module GhostConv is not known; known: Conv"},
      {"[-1, 1, Conv]", kCorrupt, "a layer is a list [from, number, module, arguments]"},
      {"{from: -1}", kCorrupt, "a layer is a list"},
      {"[-1, 0, Conv, [16]]", kCorrupt, "'number' should be a whole number from 1 to 1000, not 0"},
      {"[x, 1, Conv, [16]]", kCorrupt, "'from' should be a whole number"},
      {"[[], 1, Conv, [16]]", kCorrupt, "'from' should be a layer or a list of layers"},
      {"[5, 1, Conv, [16]]", kCorrupt, "layer 1 reads layer 5, which does not come before it"},
      {"[-3, 1, Conv, [16]]", kCorrupt, "reads layer -3"},
      {"[[-1, 0], 1, Conv, [16]]", kCorrupt, "module model.1: it reads 2 values, expected one"},
      {"[-1, 1, Conv, []]", kCorrupt, "Conv lacks its argument 1, 'channels'"},
      {"[-1, 1, Conv, [0]]", kCorrupt, "a weight would have the shape [0, 8, 1, 1]"},
      {"[-1, 1, Conv, [-16]]", kCorrupt, "a weight would have the shape"},
      {"[-1, 1, Conv, [wide]]", kCorrupt, "argument 1 of Conv, 'channels', is 'wide'; expected"},
      {"[-1, 1, Conv, [16, 3, 0]]", kCorrupt, "stride"},
      {"[-1, 1, Conv, [16, 3, 1, None, 3]]", kCorrupt, "3 groups do not divide 8 channels"},
      {"[-1, 1, Conv, [16, 3, 1, 1, 1, 1, True, 9]]", kUnsupported, "argument 8 of Conv"},
      {"[-1, 1, Conv, [16, 3, 1, 1, 1, 'nn.ELU()']]", kUnsupported, "'nn.ELU()' is not known"},
      {"[-1, 1, Conv, [1048576, 999]]", kCorrupt, "a weight would have the shape"},
      {"[-1, 1000, C3, [65536]]", kUnsupported, "more than 268435456 weights"},
      {"[-1, 1, C3, [16, maybe]]", kCorrupt, "argument 2 of C3, 'shortcut', is 'maybe'"},
      {"[-1, 1, C3, [16, True, 1, 0.01]]", kCorrupt, "a weight would have the shape [0,"},
      {"[-1, 1, SPP, [16, 5]]", kCorrupt, "expected a list of whole numbers"},
      {"[-1, 1, SPPF, [16, 4]]", kCorrupt, "differ in size"},
      {"[[-1, 0], 1, Concat, [2]]", kCorrupt, "it joins along axis 2, expected 1"},
      {"[-1, 1, nn.Upsample, [[64, 64]]]", kUnsupported, "to a size is not known"},
      {"[-1, 1, nn.Upsample, [None, 2, bilinear]]", kUnsupported, "mode 'bilinear' is not known"},
      {"[-1, 1, nn.Conv2d, [16, 16, 3]]", kCorrupt, "read 16 channels where there are 8"},
      {"[-1, 1, Expand, [4]]", kCorrupt, "8 channels do not divide"},
      {"[-1, 1, Contract, [0]]", kCorrupt, "a gain of 0 is not usable"},
      {"[-1, 1, Detect, [nc, anchors]]", kUnsupported, "the module Detect is not known"},
      {"[-1, 1, Conv, {a: 1}]", kCorrupt, "a layer is a list"},
      {"[-1, 1, Conv, [{a: 1}]]", kCorrupt, "expected a value or a list here, not a map"},
  };
  for (const Fault& fault : faults) {
    EXPECT_THAT(message_of(yaml_around(fault.row), fault.code),
                AllOf(StartsWith("model.yaml:9: "), HasSubstr(fault.says)))
        << fault.row;
  }
}

/// The sound yaml with one piece replaced.
std::string yaml_with(const std::string& piece, const std::string& replacement) {
  std::string text = yaml_around("[-1, 1, Conv, [16, 3, 2]]");
  const std::size_t at = text.find(piece);
  EXPECT_NE(at, std::string::npos) << piece;
  return text.replace(at, piece.size(), replacement);
}

TEST(DescribeYamlRefuses, KeysThatAreMissingOrWrong) {
  EXPECT_THAT(message_of("nc: [\n"), StartsWith("model.yaml:"));
  EXPECT_THAT(message_of("just text"), HasSubstr("expected keys such as 'nc:'"));
  EXPECT_THAT(message_of(""), HasSubstr("expected keys"));
  EXPECT_THAT(message_of(std::string(2 << 20, ' ')), HasSubstr("too many for a model yaml"));
  EXPECT_THAT(message_of(yaml_with("nc: 4", "nc: many")),
              HasSubstr("'nc' should be a whole number"));
  EXPECT_THAT(message_of(yaml_with("nc: 4", "")), HasSubstr("the key 'nc' is missing"));
  EXPECT_THAT(message_of(yaml_with("depth_multiple: 0.5\n", "")),
              HasSubstr("'depth_multiple' is missing"));
  EXPECT_THAT(message_of(yaml_with("width_multiple: 0.5", "width_multiple: -1")),
              HasSubstr("should be a factor above 0"));
  EXPECT_THAT(message_of(yaml_with("width_multiple: 0.5", "width_multiple: .nan")),
              HasSubstr("should be a factor above 0"));
  EXPECT_THAT(message_of(yaml_with("backbone", "spine")), HasSubstr("'backbone' is missing"));
  EXPECT_THAT(message_of(yaml_with("head:", "neck:")), HasSubstr("'head' is missing"));
  EXPECT_THAT(
      message_of(yaml_with("nc: 4", "nc: 4\nactivation: nn.Mish()"), ErrorCode::unsupported),
      HasSubstr("'nn.Mish()', which is not known; known: nn.SiLU()"));
}

TEST(DescribeYamlRefuses, AnchorsThatItCannotUse) {
  const std::string lists = "\n  - [10,13, 16,30]\n  - [30,61, 62,45]";
  EXPECT_THAT(message_of(yaml_with(lists, " 3"), ErrorCode::unsupported),
              HasSubstr("'anchors' is 3, which leaves them to be found from a data set"));
  EXPECT_THAT(message_of(yaml_with("anchors:" + lists, ""), ErrorCode::unsupported),
              HasSubstr("'anchors' is None"));
  EXPECT_THAT(message_of(yaml_with("[10,13, 16,30]", "[10,13, 16]")), HasSubstr("[10, 13, 16]"));
  EXPECT_THAT(message_of(yaml_with("[10,13, 16,30]", "[10,13, 0,30]")), HasSubstr("each above 0"));
  EXPECT_THAT(message_of(yaml_with("[10,13, 16,30]", "[10,13]")), HasSubstr("the same number"));
  EXPECT_THAT(message_of(yaml_with("  - [10,13, 16,30]\n", "")),
              HasSubstr("Detect reads 2 layers but there are anchors for 1"));
  EXPECT_THAT(
      message_of(yaml_with("nc: 4", "nc: 4"), ErrorCode::bad_argument, {.anchors = {{{-1, 2}}}}),
      HasSubstr("an anchor of -1 x 2 pixels"));
}

TEST(DescribeYaml, AnchorsGivenStandInForANumber) {
  const std::string lists = "\n  - [10,13, 16,30]\n  - [30,61, 62,45]";
  const YamlOptions given{.anchors = {{{10, 10}}, {{60, 60}}}};

  EXPECT_EQ(describe_yaml(yaml_with(lists, " 3"), given).info.anchors, given.anchors);
}

TEST(DescribeYamlRefuses, AHeadThatIsNotTheLastOrNotDetect) {
  EXPECT_THAT(message_of(yaml_with("Detect", "Segment"), ErrorCode::unsupported),
              HasSubstr("the last layer is Segment; expected Detect"));
  EXPECT_THAT(message_of(yaml_with("[nc, anchors]", "[nc]"), ErrorCode::unsupported),
              HasSubstr("Detect's arguments should be [nc, anchors]"));
  EXPECT_THAT(message_of(yaml_with("[nc, anchors]", "[5, anchors]"), ErrorCode::unsupported),
              HasSubstr("Detect's arguments should be [nc, anchors]"));
  EXPECT_THAT(message_of(yaml_with("16, 3, 2", "16, 3, 3"), ErrorCode::unsupported),
              HasSubstr("rows for an image of 256; expected a divisor"));
}

TEST(DescribeYamlRefuses, NamesThatDoNotFitTheClasses) {
  EXPECT_THAT(message_of(yaml_around("[-1, 1, Conv, [16]]"), ErrorCode::bad_argument,
                         {.names = {"cat", "dog"}}),
              HasSubstr("2 names for 4 classes"));
}

}  // namespace
}  // namespace yoloq::model
