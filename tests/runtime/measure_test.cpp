// SPDX-License-Identifier: Apache-2.0
#include "runtime/measure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include "core/error.h"
#include "runtime/fake_engine.h"

namespace yoloq::runtime {
namespace {

using test::FakeEngine;
using testing::AllOf;
using testing::Each;
using testing::Ge;
using testing::Lt;
using testing::SizeIs;

const std::vector<Tensor> kThreeImages{Tensor::of<float>({3, 2}, {1, 2, 3, 4, 5, 6})};

TEST(Percentile, IsTheNearestRank) {
  const std::vector<double> values{4, 1, 3, 2};

  EXPECT_EQ(percentile(values, 0.50), 2);
  EXPECT_EQ(percentile(values, 0.51), 3);
  EXPECT_EQ(percentile(values, 0.99), 4);
  EXPECT_EQ(percentile(values, 0.0), 1);
  EXPECT_THROW(percentile({}, 0.5), Error);
}

TEST(MeasureLatency, CountsTheRunsThatWereAskedForAfterWarmingUp) {
  FakeEngine engine;

  const LatencyReport report =
      measure_latency(engine, kThreeImages, {.warm_up_runs = 2, .seconds = 0, .runs = 5});

  EXPECT_EQ(report.runs, 5);
  EXPECT_EQ(engine.runs, 2 + 5);
  EXPECT_EQ(engine.requests, 1);
  EXPECT_LE(report.p50_ms, report.p90_ms);
  EXPECT_LE(report.p90_ms, report.p99_ms);
}

TEST(MeasureLatency, MeasuresOnceHoweverShortTheTime) {
  FakeEngine engine;

  EXPECT_GE(measure_latency(engine, kThreeImages, {.seconds = 1e-9}).runs, 1);
}

TEST(MeasureLatency, AsksForALimit) {
  FakeEngine engine;

  EXPECT_THROW(measure_latency(engine, kThreeImages, {.seconds = 0, .runs = 0}), Error);
}

TEST(MeasureThroughput, CountsImagesNotBatches) {
  FakeEngine engine;
  engine.stream_count = 2;

  const ThroughputReport report =
      measure_throughput(engine, kThreeImages, {.warm_up_runs = 0, .seconds = 0, .runs = 7});

  EXPECT_EQ(report.images, 7 * 3);
  EXPECT_EQ(report.requests, 2);
  EXPECT_EQ(engine.requests, 2);
}

TEST(MeasureThroughput, RunsEachRequestFromAThreadOfItsOwn) {
  FakeEngine engine;
  std::mutex mutex;
  std::set<std::thread::id> threads;
  engine.before_run = [&] {
    const std::lock_guard lock(mutex);
    threads.insert(std::this_thread::get_id());
  };

  measure_throughput(engine, kThreeImages, {.warm_up_runs = 0, .seconds = 0.05}, 3);

  EXPECT_THAT(threads, AllOf(SizeIs(Ge(1u)), SizeIs(testing::Le(3u))));
  EXPECT_EQ(threads.count(std::this_thread::get_id()), 0u);
}

TEST(MeasureThroughput, PassesOnWhatARunThrows) {
  FakeEngine engine;
  engine.fail_at_run = 4;

  EXPECT_THROW(measure_throughput(engine, kThreeImages, {.seconds = 0, .runs = 20}, 2), Error);
}

TEST(Compare, TakesTurnsAndGivesOneRowPerRound) {
  std::string turns;
  FakeEngine a;
  FakeEngine b;
  a.before_run = [&] { turns += 'a'; };
  b.before_run = [&] { turns += 'b'; };

  const CompareReport report = compare({a, kThreeImages}, {b, kThreeImages},
                                       {.rounds = 3, .seconds_per_turn = 1e-9, .warm_up_runs = 0});

  turns.erase(std::unique(turns.begin(), turns.end()), turns.end());
  EXPECT_EQ(turns, "ababab");
  EXPECT_EQ(report.rounds.size(), 3u);
}

TEST(Compare, GivesTheMedianOfTheRoundsRatios) {
  FakeEngine a;
  FakeEngine b;

  const CompareReport report = compare({a, kThreeImages}, {b, kThreeImages},
                                       {.rounds = 3, .seconds_per_turn = 1e-9, .warm_up_runs = 0});

  std::vector<double> ratios;
  for (const Round& round : report.rounds) ratios.push_back(round.a_ms / round.b_ms);
  std::ranges::sort(ratios);
  EXPECT_EQ(report.ratio, ratios[1]);
}

TEST(RandomInputs, AreTheSameForTheSameSeed) {
  FakeEngine engine;
  const std::vector<Shape> shapes{{4, 2}};

  const auto inputs = random_inputs(engine, shapes, 1);

  ASSERT_EQ(inputs.size(), 1u);
  EXPECT_EQ(inputs[0].shape(), (Shape{4, 2}));
  EXPECT_THAT(inputs[0].values<float>(), Each(AllOf(Ge(0.0f), Lt(1.0f))));
  EXPECT_EQ(inputs, random_inputs(engine, shapes, 1));
  EXPECT_NE(inputs, random_inputs(engine, shapes, 2));
}

TEST(RandomInputs, AskForSizesThatNobodyKnows) {
  FakeEngine engine;

  EXPECT_THROW(random_inputs(engine), Error);
}

}  // namespace
}  // namespace yoloq::runtime
