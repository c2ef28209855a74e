// SPDX-License-Identifier: Apache-2.0
#include "sensitivity/correlation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"

namespace yoloq::sensitivity {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;

constexpr double kExact = 1e-12;

double correlation(std::vector<double> a, std::vector<double> b) { return spearman(a, b); }

/// Layers 0, 1, ... with these costs; draws spread `noise` around each.
Profile profile_of(const std::vector<double>& costs, double noise = 0) {
  Profile profile{.method = "map", .unit = "AP points", .model = "m", .model_hash = "h"};
  for (std::size_t i = 0; i < costs.size(); ++i) {
    LayerCost layer{
        .id = static_cast<int>(i), .name = "layer" + std::to_string(i), .cost = costs[i]};
    if (noise > 0) layer.draws = {costs[i] - noise, costs[i] + noise};
    profile.layers.push_back(layer);
  }
  put_most_sensitive_first(profile);
  return profile;
}

TEST(Spearman, IsPearsonOfTheRanks) {
  EXPECT_THAT(correlation({1, 2, 3, 4}, {10, 20, 30, 1000}), DoubleNear(1, kExact));
  EXPECT_THAT(correlation({1, 2, 3, 4}, {4, 3, 2, 1}), DoubleNear(-1, kExact));
  // Ranks 0 1 2 3 and 1 0 2 3: 1 - 6 * (1 + 1) / (4 * 15).
  EXPECT_THAT(correlation({1, 2, 3, 4}, {7, 5, 8, 9}), DoubleNear(0.8, kExact));
}

TEST(Spearman, SharesTheRanksOfEqualValues) {
  // Ranks 0.5 0.5 2 and 0 1 2: covariance 1.5 (of 1.5 and 2).
  EXPECT_THAT(correlation({5, 5, 9}, {1, 2, 3}), DoubleNear(1.5 / std::sqrt(1.5 * 2), kExact));
}

TEST(Spearman, OfTooFewOrEqualValuesIsRefused) {
  EXPECT_THROW(correlation({1, 2}, {1, 2}), Error);
  EXPECT_THROW(correlation({1, 2, 3}, {1, 2}), Error);
  EXPECT_THROW(correlation({1, 1, 1}, {1, 2, 3}), Error);
}

TEST(SpearmanInterval, FollowsFishersZ) {
  // z = atanh(0.5) = 0.549306, error 1.959964 * sqrt(1.125 / 57) = 0.275353.
  const Interval interval = spearman_interval(0.5, 60);

  EXPECT_THAT(interval.low, DoubleNear(std::tanh(0.549306 - 0.275353), 1e-5));
  EXPECT_THAT(interval.high, DoubleNear(std::tanh(0.549306 + 0.275353), 1e-5));
  EXPECT_EQ(spearman_interval(1, 9).low, -1);
  EXPECT_GT(spearman_interval(1, 10).low, 0.99);
}

TEST(Compare, GoesByLayerNotByPlace) {
  const Agreement agreement = compare(profile_of({1, 2, 3, 4, 5}), profile_of({1, 2, 3, 4, 5}));

  EXPECT_THAT(agreement.correlation, DoubleNear(1, kExact));
  EXPECT_THAT(agreement.top, ElementsAre("layer4", "layer3", "layer2", "layer1"));
  EXPECT_THAT(agreement.top_places, ElementsAre(1, 2, 3, 4));
  EXPECT_FALSE(agreement.repeatability.has_value());
}

TEST(Compare, SaysWhereTheTopOfOneStandsInTheOther) {
  const Agreement agreement = compare(profile_of({9, 8, 7, 6, 5}), profile_of({1, 2, 3, 4, 5}));

  EXPECT_THAT(agreement.correlation, DoubleNear(-1, kExact));
  EXPECT_THAT(agreement.top_places, ElementsAre(5, 4, 3, 2));
}

TEST(Compare, LooksAtLayersWhoseCostIsMoreThanNoise) {
  // 0.5 and 1 are within the noise of 2; of the other four the order is the same.
  const Agreement agreement =
      compare(profile_of({6, 5, 3, 4, 7, 8}), profile_of({1, 0.5, 3, 4, 7, 8}, 2));

  EXPECT_EQ(agreement.significant, 4u);
  EXPECT_THAT(agreement.significant_correlation, DoubleNear(1, kExact));
  EXPECT_LT(agreement.correlation, 1);
}

TEST(Compare, SaysHowWellTheReferenceRepeatsItself) {
  EXPECT_THAT(compare(profile_of({1, 2, 3}), profile_of({1, 2, 3}, 0.1)).repeatability,
              testing::Optional(DoubleNear(1, kExact)));
}

TEST(Repeatability, OfResampledNoiseIsZero) {
  EXPECT_EQ(repeatability(0.5), 0);
  EXPECT_EQ(repeatability(-0.2), 0);
  // As much signal as noise: (1 + 1) / (1 + 2) between resamplings, 1 / 2 between sets.
  EXPECT_THAT(repeatability(2.0 / 3), DoubleNear(0.5, kExact));
  EXPECT_THAT(repeatability(1), DoubleNear(1, kExact));
}

TEST(Compare, RefusesOtherModels) {
  Profile other = profile_of({1, 2, 3});
  other.model_hash = "another";

  EXPECT_THROW(compare(other, profile_of({1, 2, 3})), Error);
  EXPECT_THROW(compare(profile_of({1, 2, 3, 4}), profile_of({1, 2, 3})), Error);
}

}  // namespace
}  // namespace yoloq::sensitivity
