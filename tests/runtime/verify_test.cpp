// SPDX-License-Identifier: Apache-2.0
#include "runtime/verify.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>

#include "core/error.h"
#include "runtime/fake_engine.h"

namespace yoloq::runtime {
namespace {

using test::FakeEngine;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
const Inputs kOnes{Tensor::of<float>({1, 2}, {1, 1})};

TEST(Sqnr, ComparesTheSquaresOfSignalAndNoise) {
  const std::array reference{3.0f, 4.0f};
  const std::array actual{3.0f, 4.5f};

  EXPECT_DOUBLE_EQ(sqnr_db(reference, actual), 10 * std::log10((9 + 16) / 0.25));
  EXPECT_EQ(sqnr_db(reference, reference), kInfinity);
}

TEST(Sqnr, IsLowestForValuesThatAreNoNumbers) {
  const std::array reference{3.0f, 4.0f};
  const std::array actual{3.0f, std::numeric_limits<float>::quiet_NaN()};

  EXPECT_EQ(sqnr_db(reference, actual), -kInfinity);
}

TEST(Sqnr, RefusesToCompareDifferentNumbersOfValues) {
  const std::array reference{3.0f, 4.0f};

  EXPECT_THROW(sqnr_db(reference, std::span(reference).first(1)), Error);
}

TEST(Sqnr, OfEnginesIsSummedOverTheSamples) {
  FakeEngine reference;
  FakeEngine actual;
  actual.added = 1;
  const std::array samples{kOnes, Inputs{Tensor::of<float>({1, 2}, {3, 3})}};

  const double signal = 2 * 2 * 2 + 2 * 6 * 6;  // Outputs are twice the inputs.
  const double noise = 4 * 1;
  EXPECT_THAT(sqnr_db(reference, actual, samples),
              ElementsAre(testing::DoubleEq(10 * std::log10(signal / noise))));
}

TEST(Run, CopiesTheOutputs) {
  FakeEngine engine;

  const auto outputs = run(engine, kOnes);

  ASSERT_EQ(outputs.size(), 1u);
  EXPECT_THAT(outputs[0].values<float>(), ElementsAre(2, 2));
}

TEST(RequireFaithful, NamesOnlyTheOutputsThatDiverge) {
  const std::array<OutputCheck, 2> checks{{{"large", 30.0, 29.5, 40.0}, {"small", 30.0, 7.0, 7.0}}};

  try {
    require_faithful(checks, {.slack_db = 1.0});
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::diverged);
    EXPECT_THAT(error.what(),
                AllOf(HasSubstr("'small': 7.0 dB, 30.0 dB expected"), Not(HasSubstr("'large'"))));
  }
}

TEST(RequireFaithful, AcceptsAnEngineWithinTheSlackOrBetter) {
  const std::array<OutputCheck, 3> checks{
      {{"a", 30.0, 29.0, 40.0}, {"b", 30.0, 45.0, 30.0}, {"c", kInfinity, kInfinity, kInfinity}}};

  EXPECT_NO_THROW(require_faithful(checks, {.slack_db = 1.0}));
}

TEST(RequireFaithful, AllowsForChanceWhereFewValuesWereCompared) {
  const auto is_faithful = [](double engine_db, std::size_t values) {
    try {
      require_faithful(std::array<OutputCheck, 1>{{{"a", 30.0, engine_db, 30.0, values}}});
      return true;
    } catch (const Error&) {
      return false;
    }
  };

  EXPECT_TRUE(is_faithful(27.0, 400));  // 1 + 10 log10(1 + 3 sqrt(2 / 40)) = 3.2 dB below.
  EXPECT_FALSE(is_faithful(26.5, 400));
  EXPECT_FALSE(is_faithful(28.8, 400'000));  // 1 + 0.1 dB below.
  EXPECT_FALSE(is_faithful(7.0, 10));        // What a wrong kernel gives.
}

TEST(RequireFaithful, AcceptsFloatTypesThatRoundWhereTheFileDoesNot) {
  const std::array<OutputCheck, 1> checks{{{"a", kInfinity, 45.0, 45.0}}};

  EXPECT_NO_THROW(require_faithful(checks, {.enough_db = 40.0}));
  EXPECT_THROW(require_faithful(checks, {.enough_db = 50.0}), Error);
}

TEST(RequireFaithful, CatchesNaN) {
  const std::array<OutputCheck, 1> checks{{{"a", 30.0, -kInfinity, -kInfinity}}};

  EXPECT_THROW(require_faithful(checks), Error);
}

TEST(RequireFaithful, RefusesAReferenceThatSaysNothing) {
  for (const double db : {-kInfinity, std::numeric_limits<double>::quiet_NaN()}) {
    const std::array<OutputCheck, 1> checks{{{"a", db, db, db}}};

    EXPECT_THROW(require_faithful(checks), Error);
  }
}

TEST(CheckOutputs, AsksForASample) {
  FakeEngine engine;

  EXPECT_THROW(check_outputs(engine, {graph::Graph{}}, {}), Error);
}

}  // namespace
}  // namespace yoloq::runtime
