// SPDX-License-Identifier: Apache-2.0
#include "detect/suppress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <random>
#include <vector>

#include "core/file.h"
#include "support/data.h"

namespace yoloq::detect {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::IsEmpty;

Candidate candidate(vision::Rect box, float confidence, int class_index = 0,
                    std::uint32_t row = 0) {
  return {.box = box, .confidence = confidence, .class_index = class_index, .row = row};
}

std::vector<float> confidences(const Boxes& boxes) {
  std::vector<float> all;
  for (const Box& box : boxes) all.push_back(box.confidence);
  return all;
}

TEST(Suppress, KeepsTheSurestOfBoxesThatOverlap) {
  const std::vector<Candidate> candidates{candidate({0, 0, 10, 10}, 0.5f),
                                          candidate({0, 0, 10, 9}, 0.9f),
                                          candidate({50, 50, 60, 60}, 0.25f)};

  const Boxes boxes = suppress(candidates);

  EXPECT_THAT(boxes, ElementsAre(Box{0, 0, 10, 9, 0.9f, 0}, Box{50, 50, 60, 60, 0.25f, 0}));
}

TEST(Suppress, AnOverlapOfExactlyTheThresholdStays) {
  const std::vector<Candidate> candidates{candidate({0, 0, 10, 10}, 0.9f),
                                          candidate({0, 0, 10, 5}, 0.8f)};  // IoU 0.5.

  EXPECT_EQ(suppress(candidates, {.iou = 0.5}).size(), 2u);
  EXPECT_EQ(suppress(candidates, {.iou = 0.4999999}).size(), 1u);
}

TEST(Suppress, ComparesWithTheThresholdAsADouble) {
  // IoU 0.6 in float32 is 0.60000002..., which is above the double 0.6.
  const std::vector<Candidate> candidates{candidate({0, 0, 10, 10}, 0.9f),
                                          candidate({0, 0, 10, 6}, 0.8f)};

  EXPECT_EQ(suppress(candidates, {.iou = 0.6}).size(), 1u);
}

TEST(Suppress, ClassesMeetOnlyWhenAsked) {
  const std::vector<Candidate> candidates{candidate({0, 0, 10, 10}, 0.9f, 0),
                                          candidate({0, 0, 10, 10}, 0.8f, 1)};

  EXPECT_EQ(suppress(candidates).size(), 2u);
  EXPECT_EQ(suppress(candidates, {.across_classes = true}).size(), 1u);
}

TEST(Suppress, EqualConfidencesComeByRowThenClass) {
  const std::vector<Candidate> candidates{candidate({0, 0, 1, 1}, 0.5f, 1, 7),
                                          candidate({0, 0, 1, 1}, 0.5f, 0, 7),
                                          candidate({5, 5, 6, 6}, 0.5f, 0, 3)};

  const Boxes boxes = suppress(candidates);

  EXPECT_THAT(boxes, ElementsAre(Box{5, 5, 6, 6, 0.5f, 0}, Box{0, 0, 1, 1, 0.5f, 0},
                                 Box{0, 0, 1, 1, 0.5f, 1}));
}

TEST(Suppress, StopsAtTheMostBoxesAndCandidates) {
  std::vector<Candidate> candidates;
  for (int i = 0; i < 10; ++i) {
    const auto at = static_cast<float>(20 * i);
    candidates.push_back(candidate({at, 0, at + 10, 10}, 0.1f * static_cast<float>(i)));
  }

  EXPECT_THAT(confidences(suppress(candidates, {.most_boxes = 2})),
              ElementsAre(0.1f * 9, 0.1f * 8));
  EXPECT_EQ(suppress(candidates, {.most_candidates = 3}).size(), 3u);
  EXPECT_THAT(suppress({}), IsEmpty());
}

TEST(Suppress, BoxesWithoutAreaStay) {
  const std::vector<Candidate> candidates{candidate({5, 5, 5, 5}, 0.9f),
                                          candidate({5, 5, 5, 5}, 0.8f)};

  EXPECT_EQ(suppress(candidates).size(), 2u);
}

/// Clusters of boxes of several classes; confidences from few values, so that there are ties.
json random_case(std::mt19937& random, float spread) {
  std::uniform_real_distribution<float> unit(0, 1);
  const int count = static_cast<int>(random() % 300);
  json candidates = json::array();
  for (int i = 0; i < count; ++i) {
    const float x = spread * static_cast<float>(random() % 5) + 30 * unit(random);
    const float y = spread * static_cast<float>(random() % 3) + 30 * unit(random);
    const float width = random() % 40 == 0 ? 0 : 20 + 60 * unit(random);
    const float height = 20 + 60 * unit(random);
    const float confidence = static_cast<float>(1 + random() % 1000) / 1001;
    candidates.push_back(
        {x - width / 2, y - height / 2, x + width / 2, y + height / 2, confidence, random() % 6});
  }
  return {{"candidates", candidates},
          {"iou", random() % 2 == 0 ? 0.6 : 0.45},
          {"most_boxes", random() % 3 == 0 ? 20 : 300},
          {"most_candidates", random() % 3 == 0 ? 100 : 30000},
          {"across_classes", random() % 4 == 0},
          {"class_offset", random() % 3 == 0 ? 60.0 : 7680.0}};  // 60: classes run into each other.
}

std::vector<Candidate> candidates_of(const json& test_case) {
  std::vector<Candidate> candidates;
  for (const json& entry : test_case["candidates"]) {
    candidates.push_back(candidate({entry[0], entry[1], entry[2], entry[3]}, entry[4], entry[5],
                                   static_cast<std::uint32_t>(candidates.size())));
  }
  return candidates;
}

TEST(Suppress, KeepsWhatTorchvisionsDefinitionKeeps) {
  constexpr std::uint32_t kSeed = 20260101;
  std::mt19937 random(kSeed);
  json cases = json::array();
  for (int i = 0; i < 200; ++i) cases.push_back(random_case(random, i % 2 == 0 ? 100.0f : 20.0f));
  const test::TemporaryFolder folder;
  write_file(folder / "in.json", cases.dump());
  const auto finished = test::run_python("tests/detect/oracle.py",
                                         {"suppress", folder / "in.json", folder / "out.json"});
  ASSERT_EQ(finished.status, 0) << finished.errors;
  const json expected = json::parse(read_file(folder / "out.json"));

  for (std::size_t i = 0; i < cases.size(); ++i) {
    const std::vector<Candidate> candidates = candidates_of(cases[i]);
    const Boxes boxes = suppress(candidates, {.iou = cases[i]["iou"],
                                              .most_boxes = cases[i]["most_boxes"],
                                              .most_candidates = cases[i]["most_candidates"],
                                              .across_classes = cases[i]["across_classes"],
                                              .class_offset = cases[i]["class_offset"]});

    Boxes wanted;
    for (const std::size_t index : expected[i]) {
      const Candidate& c = candidates[index];
      wanted.push_back({c.box.x1, c.box.y1, c.box.x2, c.box.y2, c.confidence, c.class_index});
    }
    EXPECT_EQ(boxes, wanted) << "case " << i << " of seed " << kSeed;
  }
}

}  // namespace
}  // namespace yoloq::detect
