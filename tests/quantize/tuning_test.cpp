// SPDX-License-Identifier: Apache-2.0
#include "quantize/tuning.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "quantize/weights.h"

namespace yoloq::quantize {
namespace {

using testing::ElementsAre;
using testing::FloatNear;

constexpr std::size_t kInputs = 12;
constexpr std::size_t kOutputs = 5;
constexpr std::size_t kRows = 4000;

/// Patches whose inputs share a common part, as neighbouring pixels do, and the outputs of a random
/// layer on them.
struct Data {
  std::vector<float> weight;   // [O, K]
  std::vector<float> patches;  // [n, K]
  std::vector<float> targets;  // [n, O]
};

Data correlated(unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  Data data;
  for (std::size_t i = 0; i < kOutputs * kInputs; ++i) data.weight.push_back(normal(random));
  for (std::size_t row = 0; row < kRows; ++row) {
    const float common = 3 * normal(random) + 1;
    for (std::size_t i = 0; i < kInputs; ++i) data.patches.push_back(common + normal(random));
    for (std::size_t o = 0; o < kOutputs; ++o) {
      float sum = 0;
      for (std::size_t i = 0; i < kInputs; ++i) {
        sum += data.weight[o * kInputs + i] * data.patches[row * kInputs + i];
      }
      data.targets.push_back(sum);
    }
  }
  return data;
}

/// Mean squared difference between the targets and a layer with these codes, means removed: those
/// are the bias's business.
double output_error(const Data& data, const std::vector<std::int8_t>& codes,
                    const std::vector<float>& scales) {
  double total = 0;
  for (std::size_t o = 0; o < kOutputs; ++o) {
    double sum = 0;
    double squares = 0;
    for (std::size_t row = 0; row < kRows; ++row) {
      double difference = data.targets[row * kOutputs + o];
      for (std::size_t i = 0; i < kInputs; ++i) {
        const double weight = double{scales[o]} * codes[o * kInputs + i];
        difference -= weight * data.patches[row * kInputs + i];
      }
      sum += difference;
      squares += difference * difference;
    }
    total += squares / kRows - std::pow(sum / kRows, 2);
  }
  return total;
}

TEST(Tuning, LosesLessThanRoundingToNearest) {
  double by_tuning = 0;
  double by_rounding = 0;
  for (unsigned seed = 1; seed <= 20; ++seed) {  // Alone, rounding can be lucky.
    const Data data = correlated(seed);
    Moments moments(kInputs, kOutputs);
    moments.add(data.patches, data.targets);
    const Tensor weight = Tensor::of({kOutputs, kInputs, 1, 1}, data.weight);
    const auto scales = weight_scales(weight, {.axis = 0, .method = WeightScale::max});
    const Tensor nearest = quantize_weight(weight, scales);
    const auto codes = nearest.values<std::int8_t>();

    const TunedWeight tuned = tune_weight(data.weight, moments);

    by_tuning += output_error(data, tuned.codes, tuned.scales);
    by_rounding += output_error(data, {codes.begin(), codes.end()}, scales);
  }
  EXPECT_LT(by_tuning, 0.5 * by_rounding);
}

TEST(Tuning, MakesUpForInputsThatArriveTooSmall) {
  Data data = correlated(1);
  for (float& value : data.patches) value *= 0.5f;  // The quantized network gives half.
  Moments moments(kInputs, kOutputs);
  moments.add(data.patches, data.targets);

  const TunedWeight tuned = tune_weight(data.weight, moments, {.ridge = 1e-9});

  for (std::size_t i = 0; i < kInputs; ++i) {
    EXPECT_NEAR(tuned.codes[i] * tuned.scales[0], 2 * data.weight[i], 1.5 * tuned.scales[0]);
  }
}

TEST(Tuning, AStrongRidgeOnIndependentInputsIsRoundingToNearest) {
  // Two rows in which each input varies alone: the covariance is a multiple of the identity.
  const std::vector<float> patches{1, 0, -1, 0, 0, 1, 0, -1};
  const std::vector<float> targets{9, 9, -9, -9};
  const std::vector<float> weight{1.27f, 0.504f};
  Moments moments(2, 1);
  moments.add(patches, targets);

  const TunedWeight tuned = tune_weight(weight, moments, {.ridge = 1e9});

  EXPECT_THAT(tuned.scales, ElementsAre(FloatNear(0.01f, 1e-7f)));
  EXPECT_THAT(tuned.codes, ElementsAre(127, 50));
}

TEST(Tuning, ReducedCodesEndAt64AndStillBeatRounding) {
  const Data data = correlated(5);
  Moments moments(kInputs, kOutputs);
  moments.add(data.patches, data.targets);
  const Tensor weight = Tensor::of({kOutputs, kInputs}, data.weight);
  const auto scales =
      weight_scales(weight, {.method = WeightScale::max, .top_code = kReducedTopCode});
  const auto nearest = quantize_weight(weight, scales, kReducedTopCode);

  const TunedWeight tuned = tune_weight(data.weight, moments, {.top_code = kReducedTopCode});

  EXPECT_THAT(tuned.codes, testing::Each(testing::AllOf(testing::Ge(-64), testing::Le(64))));
  const auto codes = nearest.values<std::int8_t>();
  EXPECT_LT(output_error(data, tuned.codes, tuned.scales),
            output_error(data, {codes.begin(), codes.end()}, scales));
}

TEST(Tuning, AddingInPartsIsAddingAtOnce) {
  const Data data = correlated(3);
  Moments at_once(kInputs, kOutputs);
  at_once.add(data.patches, data.targets);
  Moments in_parts(kInputs, kOutputs);
  const std::span patches(data.patches);
  const std::span targets(data.targets);
  in_parts.add(patches.first(1000 * kInputs), targets.first(1000 * kOutputs));
  in_parts.add(patches.subspan(1000 * kInputs), targets.subspan(1000 * kOutputs));

  EXPECT_EQ(tune_weight(data.weight, in_parts).codes, tune_weight(data.weight, at_once).codes);
}

TEST(Tuning, DescentAndMoreScalesLoseLess) {
  double plain = 0;
  double descended = 0;
  double scaled = 0;
  for (unsigned seed = 1; seed <= 20; ++seed) {
    const Data data = correlated(seed);
    Moments moments(kInputs, kOutputs);
    moments.add(data.patches, data.targets);
    const auto error = [&](const TuningOptions& options) {
      const TunedWeight tuned = tune_weight(data.weight, moments, options);
      EXPECT_THAT(tuned.codes, testing::Each(testing::AllOf(testing::Ge(-3), testing::Le(3))));
      return output_error(data, tuned.codes, tuned.scales);
    };
    constexpr int kFewCodes = 3;  // What rounding loses is seen.
    plain += error({.top_code = kFewCodes});
    descended += error({.top_code = kFewCodes, .sweeps = 8});
    scaled += error({.top_code = kFewCodes, .scales = 6});
  }
  EXPECT_LT(descended, plain);
  EXPECT_LT(scaled, plain);
}

TEST(Tuning, MomentsOfPartsAddUpToTheSameBytes) {
  const Data data = correlated(3);
  const std::span patches(data.patches);
  const std::span targets(data.targets);
  Moments direct(kInputs, kOutputs);
  Moments merged(kInputs, kOutputs);
  for (const std::size_t first : {0, 500, 1000}) {
    const auto some = patches.subspan(first * kInputs, 500 * kInputs);
    const auto wanted = targets.subspan(first * kOutputs, 500 * kOutputs);
    direct.add(some, wanted);
    Moments part(kInputs, kOutputs);
    part.add(some, wanted);
    merged.add(part);
  }

  const TunedWeight expected = tune_weight(data.weight, direct);
  const TunedWeight actual = tune_weight(data.weight, merged);

  EXPECT_EQ(actual.codes, expected.codes);
  EXPECT_EQ(actual.scales, expected.scales);
}

TEST(Tuning, ConstantInputsAndZeroWeightsAreNoTrouble) {
  const std::vector<float> patches{2, 0, 2, 0, 2, 0};
  const std::vector<float> targets{1, 1, 1};
  Moments moments(2, 1);
  moments.add(patches, targets);

  const TunedWeight zero = tune_weight(std::vector<float>{0, 0}, moments);
  const TunedWeight some = tune_weight(std::vector<float>{1.27f, -0.5f}, moments);

  EXPECT_THAT(zero.scales, ElementsAre(1.0f));
  EXPECT_THAT(zero.codes, ElementsAre(0, 0));
  EXPECT_THAT(some.codes, ElementsAre(127, -50));
}

}  // namespace
}  // namespace yoloq::quantize
