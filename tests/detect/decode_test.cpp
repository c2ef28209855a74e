// SPDX-License-Identifier: Apache-2.0
#include "detect/decode.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "core/error.h"
#include "core/file.h"
#include "support/data.h"

namespace yoloq::detect {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr vision::Size kCanvas{64, 32};
constexpr int kClasses = 7;
constexpr float kCertain = 40;  // Its sigmoid is 1 in float32.

/// Two levels of 3 anchors.
Head small_head(HeadForm form) {
  Head head{.form = form};
  head.class_count = kClasses;
  head.outputs = {"fine", "coarse"};
  head.strides = {8, 16};
  head.anchors = {{{10, 13}, {16, 30}, {33, 23}}, {{30, 61}, {62, 45}, {59, 119}}};
  if (form == HeadForm::decoded) head.outputs = {"output"};
  return head;
}

std::vector<Shape> shapes_of(HeadForm form, std::int64_t batch = 1) {
  constexpr std::int64_t kColumns = 5 + kClasses;
  if (form == HeadForm::decoded) return {{batch, 3 * (4 * 8 + 2 * 4), kColumns}};
  if (form == HeadForm::raw5d) return {{batch, 3, 4, 8, kColumns}, {batch, 3, 2, 4, kColumns}};
  return {{batch, 3 * kColumns, 4, 8}, {batch, 3 * kColumns, 2, 4}};
}

std::string name_of(HeadForm form) {
  if (form == HeadForm::decoded) return "decoded";
  return form == HeadForm::raw5d ? "raw5d" : "raw4d";
}

/// Numbers for a head, with the outputs that look at them.
struct Numbers {
  std::vector<std::vector<float>> values;
  std::vector<HeadOutput> outputs;
};

Numbers numbers(HeadForm form, const std::function<float()>& next, std::int64_t batch = 1) {
  Numbers made;
  for (const Shape& shape : shapes_of(form, batch)) {
    std::vector<float>& values = made.values.emplace_back(element_count(shape));
    std::ranges::generate(values, next);
    made.outputs.push_back({.shape = shape, .values = values});
  }
  return made;
}

std::vector<Candidate> in_order(std::vector<Candidate> candidates) {
  std::ranges::sort(candidates, {}, [](const Candidate& candidate) {
    return std::tuple(candidate.row, candidate.class_index);
  });
  return candidates;
}

std::string message_of(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::bad_argument);
    return error.what();
  }
  return "nothing was thrown";
}

class EveryForm : public testing::TestWithParam<HeadForm> {};

TEST_P(EveryForm, DecodesAsItsFormulasSay) {
  constexpr std::uint32_t kSeed = 7;
  constexpr float kTolerance = 1e-5f;  // Of the exponential function, relative.
  std::mt19937 random(kSeed);
  std::normal_distribution<float> logits(-2, 3);
  std::uniform_real_distribution<float> unit(0, 1);
  const bool decoded = GetParam() == HeadForm::decoded;
  std::vector<Numbers> inputs;
  std::vector<DecodeOptions> options;
  json cases = json::array();
  for (int i = 0; i < 12; ++i) {
    inputs.push_back(numbers(GetParam(), [&] { return decoded ? unit(random) : logits(random); }));
    options.push_back({.confidence = i % 2 == 0 ? 0.001f : 0.3f, .multi_label = i % 3 != 0});
    if (i % 4 == 3) options.back().classes = {1, 5};
    const Head head = small_head(GetParam());
    cases.push_back({{"form", name_of(GetParam())},
                     {"shapes", shapes_of(GetParam())},
                     {"values", inputs.back().values},
                     {"strides", head.strides},
                     {"anchors", head.anchors},
                     {"classes", options.back().classes},
                     {"confidence", options.back().confidence},
                     {"multi_label", options.back().multi_label}});
  }
  const test::TemporaryFolder folder;
  write_file(folder / "in.json", cases.dump());
  const auto finished = test::run_python("tests/detect/oracle.py",
                                         {"decode", folder / "in.json", folder / "out.json"});
  ASSERT_EQ(finished.status, 0) << finished.errors;
  const json expected = json::parse(read_file(folder / "out.json"));

  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const auto found = in_order(decode(
        small_head(GetParam()), {.outputs = inputs[i].outputs, .canvas = kCanvas}, options[i]));

    ASSERT_EQ(found.size(), expected[i].size()) << "case " << i << " of seed " << kSeed;
    for (std::size_t k = 0; k < found.size(); ++k) {
      const json& wanted = expected[i][k];
      const vision::Rect& box = found[k].box;
      EXPECT_EQ(found[k].class_index, wanted[5].get<int>());
      EXPECT_EQ(found[k].row, wanted[6].get<std::uint32_t>());
      EXPECT_NEAR(found[k].confidence, wanted[4].get<float>(), kTolerance);
      EXPECT_NEAR(box.x1, wanted[0].get<float>(), 300 * kTolerance);
      EXPECT_NEAR(box.y1, wanted[1].get<float>(), 300 * kTolerance);
      EXPECT_NEAR(box.x2, wanted[2].get<float>(), 300 * kTolerance);
      EXPECT_NEAR(box.y2, wanted[3].get<float>(), 300 * kTolerance);
    }
  }
}

TEST_P(EveryForm, DecodesOneImageOfABatch) {
  std::mt19937 random(3);
  std::uniform_real_distribution<float> unit(0, 1);
  const Numbers batch = numbers(
      GetParam(), [&] { return unit(random); }, 3);
  std::vector<HeadOutput> alone;
  for (const HeadOutput& output : batch.outputs) {
    Shape shape = output.shape;
    shape[0] = 1;
    const std::size_t size = output.values.size() / 3;
    alone.push_back({.shape = shape, .values = output.values.subspan(2 * size, size)});
  }
  const Head head = small_head(GetParam());

  const auto last = decode(head, {.outputs = batch.outputs, .image = 2, .canvas = kCanvas});

  EXPECT_FALSE(last.empty());
  EXPECT_EQ(last, decode(head, {.outputs = alone, .image = 0, .canvas = kCanvas}));
}

TEST_P(EveryForm, FindsNothingInCertainAbsence) {
  const bool decoded = GetParam() == HeadForm::decoded;
  const Numbers nothing = numbers(GetParam(), [&] { return decoded ? 0.0f : -kCertain; });

  EXPECT_THAT(decode(small_head(GetParam()), {.outputs = nothing.outputs, .canvas = kCanvas}),
              IsEmpty());
}

TEST_P(EveryForm, RefusesShapesThatDoNotFit) {
  const Head head = small_head(GetParam());
  Numbers made = numbers(GetParam(), [] { return 0.0f; });
  const auto decode_it = [&](std::size_t image) {
    decode(head, {.outputs = made.outputs, .image = image, .canvas = kCanvas});
  };

  EXPECT_THAT(message_of([&] { decode_it(1); }), HasSubstr("image 1 of the batch"));
  made.outputs.front().shape.back() += 1;
  EXPECT_THAT(message_of([&] { decode_it(0); }), HasSubstr("'" + head.outputs.front() + "'"));
  made.outputs.clear();
  EXPECT_THAT(message_of([&] { decode_it(0); }), HasSubstr("0 were given"));
}

INSTANTIATE_TEST_SUITE_P(, EveryForm,
                         testing::Values(HeadForm::raw4d, HeadForm::raw5d, HeadForm::decoded),
                         [](const auto& test) { return name_of(test.param); });

TEST(Decode, OneCellByHand) {
  Head head{.form = HeadForm::raw5d};
  head.class_count = 1;
  head.outputs = {"output"};
  head.strides = {32};
  head.anchors = {{{20, 40}}};
  // sigmoid(0) = 0.5: centre 2 * 0.5 - 0.5 + 0 = 0.5 cells, sides (2 * 0.5)^2 = 1 anchor.
  const std::vector<float> values{0, 0, 0, 0, kCertain, kCertain};
  const std::vector<HeadOutput> outputs{{.shape = {1, 1, 1, 1, 6}, .values = values}};

  const auto found = decode(head, {.outputs = outputs, .canvas = {32, 32}});

  const Candidate expected{
      .box = {0.5f * 32 - 20 / 2, 0.5f * 32 - 40 / 2, 0.5f * 32 + 20 / 2, 0.5f * 32 + 40 / 2},
      .confidence = 1,
      .class_index = 0,
      .row = 0};
  EXPECT_THAT(found, testing::ElementsAre(expected));
}

TEST(Decode, RefusesACanvasThatStridesDoNotDivide) {
  const Numbers made = numbers(HeadForm::raw4d, [] { return 0.0f; });

  EXPECT_THAT(message_of([&] {
                decode(small_head(HeadForm::raw4d), {.outputs = made.outputs, .canvas = {60, 32}});
              }),
              HasSubstr("60 x 32 pixels is no multiple of the stride 8"));
}

TEST(Decode, RefusesAnIncompleteHead) {
  Head head = small_head(HeadForm::raw4d);
  head.anchors.clear();
  const Numbers made = numbers(HeadForm::raw4d, [] { return 0.0f; });

  EXPECT_THAT(message_of([&] { decode(head, {.outputs = made.outputs, .canvas = kCanvas}); }),
              HasSubstr("lacks"));
}

TEST(Decode, RefusesAClassThatTheHeadLacks) {
  const Numbers made = numbers(HeadForm::raw4d, [] { return 0.0f; });
  const auto message_for = [&](int wanted) {
    return message_of([&] {
      decode(small_head(HeadForm::raw4d), {.outputs = made.outputs, .canvas = kCanvas},
             {.classes = {0, wanted}});
    });
  };

  EXPECT_THAT(message_for(kClasses), HasSubstr("no class 7: the model has 7, from 0 to 6"));
  EXPECT_THAT(message_for(-1), HasSubstr("no class -1"));
  EXPECT_EQ(message_for(kClasses - 1), "nothing was thrown");
}

}  // namespace
}  // namespace yoloq::detect
