// SPDX-License-Identifier: Apache-2.0
#include "quantize/weights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "core/error.h"

namespace yoloq::quantize {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::FloatEq;
using testing::Ge;
using testing::Le;

const Tensor kTwoChannels = Tensor::of<float>({2, 2, 1, 1}, {1.27f, -0.5f, 0.0f, -2.54f});

TEST(Weights, MaxGivesEachOutputChannelItsLargestMagnitude) {
  EXPECT_THAT(weight_scales(kTwoChannels, {.axis = 0, .method = WeightScale::max}),
              ElementsAre(FloatEq(0.01f), FloatEq(0.02f)));
  EXPECT_THAT(weight_scales(kTwoChannels, {.axis = -1, .method = WeightScale::max}),
              ElementsAre(FloatEq(0.02f)));
}

TEST(Weights, CodesAreRoundedQuotients) {
  const Tensor codes = quantize_weight(kTwoChannels, {0.01f, 0.02f});

  EXPECT_EQ(codes.shape(), kTwoChannels.shape());
  EXPECT_THAT(codes.values<std::int8_t>(), ElementsAre(127, -50, 0, -127));
}

TEST(Weights, ReducedCodesEndAt64) {
  for (const WeightScale method : {WeightScale::max, WeightScale::mse}) {
    const auto scales =
        weight_scales(kTwoChannels, {.method = method, .top_code = kReducedTopCode});

    const Tensor codes = quantize_weight(kTwoChannels, scales, kReducedTopCode);

    EXPECT_THAT(codes.values<std::int8_t>(), Each(AllOf(Ge(-64), Le(64))));
    EXPECT_THAT(codes.values<std::int8_t>(), Contains(64));
  }
  EXPECT_THAT(
      weight_scales(kTwoChannels, {.method = WeightScale::max, .top_code = kReducedTopCode}),
      ElementsAre(FloatEq(1.27f / 64), FloatEq(2.54f / 64)));
}

TEST(Weights, NoTwoProductsOfReducedCodesSaturate) {
  static_assert(255 * (kReducedTopCode + kReducedTopCode) <= 32767);
  static_assert(255 * (kReducedTopCode + 1 + kReducedTopCode) > 32767);
}

TEST(Weights, FakeQuantizationIsCodesTimesScale) {
  const Tensor fake = dequantize_weight(quantize_weight(kTwoChannels, {0.5f, 1.0f}), {0.5f, 1.0f});

  EXPECT_THAT(fake.values<float>(), ElementsAre(1.5f, -0.5f, 0.0f, -3.0f));
}

double squared_error(const Tensor& weight, const std::vector<float>& scales) {
  double sum = 0;
  const Tensor fake = dequantize_weight(quantize_weight(weight, scales), scales);
  for (std::size_t i = 0; i < weight.size(); ++i) {
    sum += std::pow(weight.values<float>()[i] - fake.values<float>()[i], 2);
  }
  return sum;
}

TEST(Weights, MseClipsALoneOutlierWhereThatCostsLess) {
  // At scale 1 each 1.5 is off by half a step: 10000 * 0.25. Clipping the 127 costs less than that.
  std::vector<float> values(10000, 1.5f);
  values.push_back(127.0f);
  const Tensor weight = Tensor::of({1, 10001, 1, 1}, values);

  const auto scales = weight_scales(weight, {.axis = 0, .method = WeightScale::mse});

  EXPECT_LT(scales[0], 0.9f);
  EXPECT_LT(squared_error(weight, scales), 0.4 * 10000 * 0.25);
}

TEST(Weights, MseNeverLosesMoreThanMax) {
  std::mt19937 random(7);
  std::student_t_distribution<float> heavy(3.0f);
  std::vector<float> values(8 * 288);
  for (float& value : values) value = heavy(random);
  const Tensor weight = Tensor::of({8, 32, 3, 3}, values);

  const double by_max =
      squared_error(weight, weight_scales(weight, {.axis = 0, .method = WeightScale::max}));
  const double by_mse =
      squared_error(weight, weight_scales(weight, {.axis = 0, .method = WeightScale::mse}));

  EXPECT_LT(by_mse, by_max);
}

TEST(Weights, AChannelOfZerosHasAUsableScale) {
  const Tensor zeros = Tensor::of<float>({1, 1, 1, 2}, {0, 0});

  EXPECT_THAT(weight_scales(zeros, {.axis = 0, .method = WeightScale::mse}), ElementsAre(1.0f));
}

TEST(Weights, UnknownMethodsAreRefused) {
  EXPECT_EQ(weight_scale_named("mse"), WeightScale::mse);
  EXPECT_THROW(weight_scale_named("median"), Error);
}

}  // namespace
}  // namespace yoloq::quantize
