// SPDX-License-Identifier: Apache-2.0
#include "sensitivity/partial.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <map>

#include "core/error.h"
#include "pipeline/tiny_data_set.h"
#include "support/message.h"

namespace yoloq::sensitivity {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr double kFloatAp = 0.5;

/// A model of four layers, in which each costs AP on its own account and time in float.
class Partial : public testing::Test {
 protected:
  Profile profile() const {
    Profile result{.method = "fast", .unit = "%"};
    int id = 0;
    for (const auto& [name, cost] : ap_costs) {
      result.layers.push_back({.id = id++, .name = name, .cost = cost});
    }
    put_most_sensitive_first(result);
    return result;
  }

  PartialChoice choose(double max_drop, std::size_t candidates = 12) {
    return choose_float_layers(profile(), kFloatAp, {.ap = ap, .time = time},
                               {.max_drop = max_drop, .candidates = candidates});
  }

  std::map<std::string, double> ap_costs{{"a", 0.01}, {"b", 0.04}, {"c", 0.02}, {"d", 0.001}};
  std::map<std::string, double> times{{"a", 1.01}, {"b", 1.10}, {"c", 1.02}, {"d", 1.10}};
  std::vector<std::vector<std::string>> measured;
  std::function<double(std::span<const std::string>)> ap = [this](auto layers) {
    measured.emplace_back(layers.begin(), layers.end());
    double result = kFloatAp;
    for (const auto& [name, cost] : ap_costs) {
      if (std::ranges::find(layers, name) == layers.end()) result -= cost;
    }
    return result;
  };
  std::function<double(std::span<const std::string>)> time = [this](auto layers) {
    return times.at(layers.front());
  };
};

TEST_F(Partial, AddsLayersByAccuracyGainedPerTime) {
  // Gain over time: a 0.01 / 0.01, b 0.04 / 0.1, c 0.02 / 0.02, d 0.001 / 0.1; a and c are equal
  // and the more sensitive of the two comes first. Without c, a, b the drop is 0.1.
  const PartialChoice choice = choose(0.11);

  EXPECT_THAT(choice.float_layers, ElementsAre("c", "a", "b"));
  EXPECT_TRUE(choice.met);
  EXPECT_NEAR(choice.drop, 0.1, 1e-9);
  EXPECT_NEAR(choice.ap, kFloatAp - 0.001, 1e-9);
  EXPECT_THAT(measured, ElementsAre(IsEmpty(), ElementsAre("c"), ElementsAre("c", "a"),
                                    ElementsAre("c", "a", "b")));
  EXPECT_THAT(choice.steps, SizeIs(4));
}

TEST_F(Partial, StopsAsSoonAsTheDropIsWithinTheLimit) {
  EXPECT_THAT(choose(100).float_layers, IsEmpty());
  EXPECT_THAT(measured, SizeIs(1));
  EXPECT_THAT(choose(5.2).float_layers, ElementsAre("c"));
}

TEST_F(Partial, TakesATimeBelowWhatCanBeMeasuredForThatMuch) {
  times["d"] = 0.5;  // Faster in float: by chance, or as this CPU has no int8.

  choose(0.11);

  // 0.001 / 0.01 is less than 0.04 / 0.1.
  EXPECT_THAT(measured.back(), ElementsAre("c", "a", "b"));
}

TEST_F(Partial, KeepsTheBestWhereTheLimitCannotBeMet) {
  const PartialChoice choice = choose(0.01, 2);  // b and c alone are looked at.

  EXPECT_FALSE(choice.met);
  EXPECT_THAT(choice.float_layers, ElementsAre("c", "b"));
  EXPECT_NEAR(choice.drop, 1.1, 1e-9);
  EXPECT_THAT(choice.reason, HasSubstr("none of the first 2 layers"));
}

TEST_F(Partial, OfEqualDropsTakesTheFewestLayers) {
  ap = [](auto) { return kFloatAp - 0.02; };

  const PartialChoice choice = choose(1);

  EXPECT_FALSE(choice.met);
  EXPECT_THAT(choice.float_layers, IsEmpty());
}

TEST_F(Partial, DoesNotLoseTheBestToAWorseStepBehindIt) {
  ap = [](auto layers) { return layers.size() == 1 ? kFloatAp - 0.01 : kFloatAp - 0.02; };

  const PartialChoice choice = choose(0.1);

  EXPECT_THAT(choice.float_layers, ElementsAre("c"));
  EXPECT_NEAR(choice.drop, 1, 1e-9);
}

TEST_F(Partial, ReadsCostsInDecibelsAsRatios) {
  Profile profile{
      .unit = "dB",
      .layers = {{.id = 0, .name = "a", .cost = -20}, {.id = 1, .name = "b", .cost = -40}}};

  const auto steps = in_order_of_worth(profile, {.ap = ap, .time = time}, {});

  EXPECT_EQ(steps.front().layer, "a");  // 0.01 / 0.01 against 0.0001 / 0.1.
}

TEST_F(Partial, RefusesALimitBelowZero) {
  EXPECT_THAT(test::message_when([&] { choose(-0.1); }), HasSubstr("-0.1"));
  EXPECT_THROW(choose(std::numeric_limits<double>::quiet_NaN()), Error);
}

}  // namespace
}  // namespace yoloq::sensitivity
