// SPDX-License-Identifier: Apache-2.0
#include "pipeline/detail/object_map.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace yoloq::pipeline::detail {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr float kNone = -10.0f;   // A logit far below every threshold.
constexpr float kObject = 2.0f;   // sigmoid(2) = 0.88
constexpr float kUnsure = -1.0f;  // sigmoid(-1) = 0.27
constexpr float kThreshold = 0.5f;

/// One head of one anchor and one class: 6 channels, of which the fifth is the objectness. All
/// others are large, to be mistaken for it.
struct Head {
  Head(std::int64_t height, std::int64_t width, const std::vector<float>& objectness)
      : logits{.anchors = 1, .classes = 1, .height = height, .width = width} {
    for (int channel = 0; channel < 6; ++channel) {
      for (const float value : objectness) values.push_back(channel == 4 ? value : 99.0f);
    }
    logits.values = values;
  }
  Head(const Head&) = delete;
  Head& operator=(const Head&) = delete;

  std::vector<float> values;
  HeadLogits logits;
};

TEST(ObjectMap, FindsCellsAboveTheThreshold) {
  const Head head(2, 3, {kNone, kObject, kNone, kNone, kUnsure, kObject});
  const ObjectMap map({{head.logits}});

  EXPECT_THAT(map.places(2, 3, kThreshold), ElementsAre(1, 5));
  EXPECT_THAT(map.places(2, 3, 0.2f), ElementsAre(1, 4, 5));
  EXPECT_THAT(map.places(2, 3, 0.99f), IsEmpty());
}

TEST(ObjectMap, FinerMapsHaveSeveralPlacesPerCell) {
  const Head head(1, 2, {kNone, kObject});
  const ObjectMap map({{head.logits}});

  // A 2 x 4 map: the right half belongs to the cell.
  EXPECT_THAT(map.places(2, 4, kThreshold), ElementsAre(2, 3, 4 + 2, 4 + 3));
}

TEST(ObjectMap, CoarserMapsHaveAPlaceForAnyOfItsCells) {
  const Head head(2, 4,
                  {kNone, kNone, kNone, kNone,  //
                   kNone, kObject, kNone, kNone});
  const ObjectMap map({{head.logits}});

  EXPECT_THAT(map.places(1, 2, kThreshold), ElementsAre(0));
  EXPECT_THAT(map.places(1, 1, kThreshold), ElementsAre(0));
}

TEST(ObjectMap, TakesTheSurestOfAllHeads) {
  const Head fine(2, 2, {kNone, kNone, kNone, kUnsure});
  const Head coarse(1, 1, {kUnsure});
  const Head sure(2, 2, {kNone, kNone, kObject, kNone});

  EXPECT_THAT(ObjectMap({{fine.logits, coarse.logits}}).places(2, 2, 0.2f),
              ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(ObjectMap({{coarse.logits, sure.logits}}).places(2, 2, kThreshold), ElementsAre(2));
}

TEST(ObjectMap, TakesTheSurestOfAllAnchors) {
  std::vector<float> values(2 * 6 * 2, kNone);
  values[(6 + 4) * 2 + 1] = kObject;  // Second anchor, objectness, second cell.
  const HeadLogits logits{.anchors = 2, .classes = 1, .height = 1, .width = 2, .values = values};

  EXPECT_THAT(ObjectMap({{logits}}).places(1, 2, kThreshold), ElementsAre(1));
}

}  // namespace
}  // namespace yoloq::pipeline::detail
