// SPDX-License-Identifier: Apache-2.0
#include "coco/accumulate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "coco/evaluate.h"
#include "coco/random_case.h"
#include "core/error.h"

namespace yoloq::coco {
namespace {

/// All images once more, under ids that follow their own; scores made distinct, as copies of one
/// image are counted side by side and ties would stand in another order.
RandomCase twice(const RandomCase& one) {
  RandomCase result;
  result.annotations.categories = one.annotations.categories;
  std::int64_t next_box = 1;
  for (const std::int64_t copy : {0, 1}) {
    for (Image image : one.annotations.images) {
      image.id = 2 * image.id + copy;
      result.annotations.images.push_back(image);
    }
    for (Box box : one.annotations.boxes) {
      box.id = next_box++;
      box.image_id = 2 * box.image_id + copy;
      result.annotations.boxes.push_back(box);
    }
    for (Detection detection : one.detections) {
      detection.image_id = 2 * detection.image_id + copy;
      result.detections.push_back(detection);
    }
  }
  return result;
}

TEST(Accumulate, LeavesImagesOutAsIfTheyWereNeverAskedFor) {
  for (std::uint32_t seed = 0; seed < 100; ++seed) {
    const RandomCase one = random_case(seed);
    const Matches all = match(one.annotations, one.detections);
    if (one.image_ids.empty()) continue;
    std::vector<std::uint32_t> counts;
    for (const std::int64_t id : all.image_ids) {
      counts.push_back(std::ranges::count(one.image_ids, id) > 0 ? 1 : 0);
    }

    const Metrics counted = accumulate(all, counts);

    const Metrics asked = evaluate(one.annotations, one.detections, {.image_ids = one.image_ids});
    EXPECT_EQ(counted.figures, asked.figures) << "random_case " << seed;
    EXPECT_EQ(counted.images, asked.images);
    EXPECT_EQ(counted.boxes, asked.boxes);
    EXPECT_EQ(counted.detections, asked.detections);
  }
}

TEST(Accumulate, TakesAnImageTwiceAsIfItWereThereTwice) {
  for (std::uint32_t seed = 0; seed < 100; ++seed) {
    RandomCase one = random_case(seed);
    for (std::size_t i = 0; i < one.detections.size(); ++i) {
      one.detections[i].score = static_cast<double>(i * 7919 % one.detections.size());
    }
    std::erase_if(one.annotations.boxes, [](const Box& box) { return box.id == 0; });
    const Matches matches = match(one.annotations, one.detections);

    const Metrics counted =
        accumulate(matches, std::vector<std::uint32_t>(matches.image_ids.size(), 2));

    const RandomCase both = twice(one);
    EXPECT_EQ(counted.figures, evaluate(both.annotations, both.detections).figures)
        << "random_case " << seed;
  }
}

TEST(Accumulate, RefusesCountsThatAreNotOnePerImage) {
  const RandomCase one = random_case(1);
  const Matches matches = match(one.annotations, one.detections);
  const std::vector<std::uint32_t> counts(matches.image_ids.size() + 1, 1);

  EXPECT_THROW(accumulate(matches, counts), Error);
}

}  // namespace
}  // namespace yoloq::coco
