// SPDX-License-Identifier: Apache-2.0
#include "quantize/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>
#include <utility>

#include "core/error.h"

namespace yoloq::quantize {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Plan small_plan() {
  return {.target = "openvino",
          .provenance = {{"calibrator", "mse"}, {"images", "128"}},
          .layers = {{.id = 0, .name = "c0", .precision = Precision::int8, .why = "default"},
                     {.id = 1, .name = "c1", .precision = Precision::fp16, .why = "--skip: \"x\""}},
          .activations = {{.tensor = "a tensor: odd",
                           .on = false,
                           .quantizer = {DType::u8, 0.1f, 7},
                           .why = "input of c0",
                           .readers = {"c0:0", "add, with comma:1"}}},
          .weights = {{.tensor = "w",
                       .layer = "c0",
                       .axis = 0,
                       .top_code = 64,
                       .scales = {0.1f, 1e-30f, 3.0f / 7},
                       .bias_shift = {-0.25f, 0, 1e-7f},
                       .why = "mse scale"}}};
}

TEST(Plan, SurvivesTheWayToYamlAndBack) {
  EXPECT_EQ(parse_plan(to_yaml(small_plan())), small_plan());
}

TEST(Plan, WithoutATopCodeHasTheWholeRange) {
  std::string yaml = to_yaml(small_plan());
  const auto place = yaml.find("    top_code: 64\n");
  ASSERT_NE(place, std::string::npos) << yaml;
  yaml.erase(place, std::string_view("    top_code: 64\n").size());

  EXPECT_EQ(parse_plan(yaml).weights[0].top_code, 127);
}

TEST(Plan, RefusesStoredCodesBeyondItsTopCode) {
  Plan plan = small_plan();
  plan.weights[0].codes = Tensor::of<std::int8_t>({1, 3}, {64, 65, -64});

  try {
    parse_plan(to_yaml(plan), stored_codes(plan));
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("a stored code of 'c0' is 65, top_code says 64 at most"));
  }
}

TEST(Plan, OfAnFp16FloatPartSurvivesToo) {
  Plan plan = small_plan();
  plan.float_type = Precision::fp16;
  plan.fp32_nodes = {{"model.9/Add", "'y' may reach 81234; float16 ends at 65504"}};

  EXPECT_EQ(parse_plan(to_yaml(plan)), plan);
}

TEST(Plan, CountsItsInt8Layers) {
  Plan plan = small_plan();
  EXPECT_EQ(plan.int8_layers(), 1);

  plan.weights[0].on = false;  // Its activations alone make no int8 layer.
  EXPECT_EQ(plan.int8_layers(), 0);
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const auto place = text.find(from);
  return place == std::string::npos ? "" : text.replace(place, from.size(), to);
}

TEST(Plan, WhoseLayerIsEditedToFloatQuantizesItNoLonger) {
  for (const auto& [text, precision] :
       {std::pair("precision: fp32", Precision::fp32), {"precision: fp16", Precision::fp16}}) {
    const Plan plan = parse_plan(replaced(to_yaml(small_plan()), "precision: int8", text));

    EXPECT_EQ(plan.layers[0].precision, precision);
    EXPECT_THAT(plan.weights, IsEmpty());
    EXPECT_THAT(plan.activations[0].readers, ElementsAre("add, with comma:1"));
    EXPECT_EQ(plan.int8_layers(), 0);
  }
}

TEST(Plan, LosesAnActivationThatOnlyALayerEditedToFloatReads) {
  Plan plan = small_plan();
  plan.activations[0].readers = {"c0:0"};

  const std::string yaml = replaced(to_yaml(plan), "precision: int8", "precision: fp32");

  EXPECT_THAT(parse_plan(yaml).activations, IsEmpty());
}

void expect_unreadable(const Plan& plan, const char* message) {
  try {
    parse_plan(to_yaml(plan));
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr(message));
  }
}

TEST(Plan, IsRefusedIfItListsSomethingTwice) {
  Plan plan = small_plan();
  plan.layers.push_back(plan.layers[1]);
  expect_unreadable(plan, "line 11: layer 'c1' is listed twice");

  plan = small_plan();
  plan.weights.push_back(plan.weights[0]);
  expect_unreadable(plan, "the weight of layer 'c0' is listed twice");

  plan = small_plan();
  plan.activations.push_back(plan.activations[0]);
  expect_unreadable(plan, "tensor 'a tensor: odd' is listed twice");

  plan = small_plan();
  plan.activations[0].readers.emplace_back("c0:0");
  expect_unreadable(plan, "reader 'c0:0' is listed twice");
}

struct Broken {
  const char* why;
  const char* from;
  const char* to;
  const char* message;
};

void PrintTo(const Broken& row, std::ostream* out) { *out << row.why; }

class BrokenPlan : public testing::TestWithParam<Broken> {};

TEST_P(BrokenPlan, IsRefusedWithTheLine) {
  std::string yaml = to_yaml(small_plan());
  const auto place = yaml.find(GetParam().from);
  ASSERT_NE(place, std::string::npos);
  yaml.replace(place, std::string_view(GetParam().from).size(), GetParam().to);

  try {
    parse_plan(yaml);
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr(GetParam().message));
  }
}

constexpr Broken kBroken[] = {
    {"NoYaml", "format: 1", "format: [", "line"},
    {"OtherFormat", "format: 1", "format: 2", "only format 1 is known"},
    {"ZeroScale", "scale: 0.1", "scale: 0", "a scale is above zero"},
    {"NegativeScale", "1e-30", "-1", "a scale is above zero"},
    {"InfiniteScale", "1e-30", ".inf", "a scale is above zero and finite, not inf"},
    {"ScaleThatIsNoNumber", "scale: 0.1", "scale: .nan", "a scale is above zero and finite"},
    {"ShiftThatIsNoNumber", "-0.25", ".nan", "a bias_shift is nan"},
    {"InfiniteShift", "-0.25", "-.inf", "a bias_shift is -inf"},
    {"NoNumber", "zero_point: 7", "zero_point: x", "'zero_point' is not of the type"},
    {"ZeroPointOutside", "zero_point: 7", "zero_point: 256", "outside 0..255"},
    {"OtherType", "uint8", "int4", "neither int8 nor uint8"},
    {"OtherPrecision", "precision: fp16", "precision: fp8", "known: fp32, fp16, int8"},
    {"Int8WithoutWeight", "precision: fp16", "precision: int8",
     "layer 'c1' is int8, but 'weights'"},
    {"TopCodeOutside", "top_code: 64", "top_code: 128", "top_code 128 is outside 1..127"},
    {"TopCodeOfZero", "top_code: 64", "top_code: 0", "top_code 0 is outside 1..127"},
    {"MissingList", "weights:", "wights:", "'weights' is missing"},
    {"MissingKey", "why: mse", "because: mse", "'why' is missing"},
};

INSTANTIATE_TEST_SUITE_P(Because, BrokenPlan, testing::ValuesIn(kBroken),
                         [](const auto& row) { return std::string(row.param.why); });

}  // namespace
}  // namespace yoloq::quantize
