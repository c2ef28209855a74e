// SPDX-License-Identifier: Apache-2.0
#include "search/strategy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "core/error.h"

namespace yoloq::search {
namespace {

using testing::ElementsAre;
using testing::Not;
using testing::SizeIs;

/// A model that gains from entropy, from a ridge of 3 and from each float layer.
class StrategyTest : public testing::Test {
 protected:
  Search search() {
    return run_search(
        space, {.loss = loss, .ap = ap, .time = time}, [this] { return left-- > 0; },
        [this](const Tried& tried, bool kept) {
          if (kept) kept_.push_back(text_of(tried.candidate));
        });
  }

  static std::vector<std::string> texts(const Search& found) {
    std::vector<std::string> texts;
    for (const Tried& tried : found.tried) texts.push_back(text_of(tried.candidate));
    return texts;
  }

  Space space{.image_counts = {64}, .layers = {"c", "a", "b"}, .float_ap = 0.5};
  int left = 1000;
  std::vector<std::string> kept_;
  std::function<double(const Candidate&)> loss = [](const Candidate& candidate) {
    double value = 10;
    if (candidate.calibrator.name == "entropy") value -= 2;
    if (candidate.ridge == 3) value -= 1;
    return value - 0.5 * static_cast<double>(candidate.float_layers.size());
  };
  std::function<double(const Candidate&)> ap = [this](const Candidate& candidate) {
    return 0.5 - loss(candidate) / 100;
  };
  std::function<double(const Candidate&)> time = [](const Candidate& candidate) {
    return 1 + 0.1 * static_cast<double>(candidate.float_layers.size());
  };
};

TEST_F(StrategyTest, KeepsWhatTakesFromTheLoss) {
  const Search found = search();

  EXPECT_TRUE(found.exhausted);
  EXPECT_THAT(kept_, ElementsAre("default", "calibrator=entropy", "calibrator=entropy ridge=3"));
  EXPECT_EQ(text_of(found.tried[found.best_int8].candidate), "calibrator=entropy ridge=3");
}

TEST_F(StrategyTest, PutsLayersInFloatInOrderOfWorthOnTheBestOptions) {
  const auto all = texts(search());

  EXPECT_THAT(all, testing::IsSupersetOf({std::string("calibrator=entropy ridge=3 float=c"),
                                          std::string("calibrator=entropy ridge=3 float=a,c"),
                                          std::string("calibrator=entropy ridge=3 float=a,b,c")}));
}

TEST_F(StrategyTest, TriesNothingTwice) {
  auto all = texts(search());
  std::ranges::sort(all);

  EXPECT_EQ(std::ranges::adjacent_find(all), all.end());
}

TEST_F(StrategyTest, StopsAddingFloatLayersWhereAccuracyIsThatOfTheFloatModel) {
  space.float_ap = 0.3;

  EXPECT_THAT(texts(search()), Not(testing::Contains(testing::HasSubstr("float=a,c"))));
}

TEST_F(StrategyTest, DoesNotTuneWhatLosesMuchMoreBeforeTuning) {
  std::vector<std::string> tuned;
  loss = [&](const Candidate& candidate) {
    if (candidate.tuning) tuned.push_back(text_of(candidate));
    return candidate.calibrator.name == "min-max" ? 10.0 * 1.3 : 10.0;
  };

  search();

  EXPECT_THAT(tuned, testing::Contains("calibrator=entropy"));
  EXPECT_THAT(tuned, Not(testing::Contains("calibrator=min-max")));
}

TEST_F(StrategyTest, SmallGainsAreNotKept) {
  loss = [](const Candidate& candidate) { return candidate.ridge == 3 ? 9.95 : 10.0; };

  search();

  EXPECT_THAT(kept_, ElementsAre("default"));
}

TEST_F(StrategyTest, EndsWhenAskedTo) {
  const std::size_t whole = search().tried.size();
  left = 4;

  const Search found = search();

  EXPECT_FALSE(found.exhausted);
  EXPECT_THAT(found.tried, SizeIs(testing::AllOf(testing::Ge(1U), testing::Le(4U))));
  EXPECT_GT(whole, 4U);
}

TEST_F(StrategyTest, AnInterruptedMeasurementKeepsWhatWasMeasured) {
  const auto usual = time;
  time = [&](const Candidate& candidate) {
    if (candidate.float_layers.size() == 2) fail(ErrorCode::cancelled, "interrupted");
    return usual(candidate);
  };

  const Search found = search();

  EXPECT_FALSE(found.tried.back().complete);
  EXPECT_TRUE(found.tried.front().complete);
}

TEST_F(StrategyTest, OtherErrorsAreErrors) {
  ap = [](const Candidate&) -> double { fail(ErrorCode::io, "gone"); };

  EXPECT_THROW(search(), Error);
}

TEST_F(StrategyTest, CutAnywhereAndAskedAgainItTakesTheSameWay) {
  const auto whole = texts(search());
  std::map<std::string, double> known;  // As a journal does.
  const auto remember = [&](const char* what, const auto& measure) {
    return [&known, what, measure](const Candidate& candidate) {
      const auto [answer, is_new] = known.try_emplace(what + text_of(candidate), 0.0);
      if (is_new) answer->second = measure(candidate);
      return answer->second;
    };
  };
  loss = remember("loss", loss);
  for (const int cut : {1, 3, 7, 12, 1000}) {
    left = cut;
    const auto part = texts(search());
    EXPECT_TRUE(std::equal(part.begin(), part.end(), whole.begin())) << cut;
    EXPECT_EQ(part.size() == whole.size(), cut == 1000);
  }
}

}  // namespace
}  // namespace yoloq::search
