// SPDX-License-Identifier: Apache-2.0
#include "coco/bootstrap.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "coco/detail/curve.h"
#include "coco/evaluate.h"
#include "coco/random_case.h"
#include "core/error.h"

namespace yoloq::coco {
namespace {

using testing::HasSubstr;

constexpr std::array<double, 4> kBox{10, 10, 40, 40};

/// One box per image.
Annotations boxes_in_images(std::int64_t images) {
  Annotations annotations{{}, {{1, "cat"}}, {}};
  for (std::int64_t i = 1; i <= images; ++i) {
    annotations.images.push_back({i, 300, 300, "image.jpg"});
    annotations.boxes.push_back({.id = i,
                                 .image_id = i,
                                 .category_id = 1,
                                 .bbox = kBox,
                                 .area = 1600,
                                 .is_crowd = false,
                                 .ignore = false});
  }
  return annotations;
}

/// A model that finds every box but those of the first `missed` images.
Matches finds_all_but(std::int64_t missed, std::int64_t images) {
  std::vector<Detection> detections;
  for (std::int64_t i = missed + 1; i <= images; ++i) detections.push_back({i, 1, kBox, 0.5});
  return match(boxes_in_images(images), detections);
}

std::string bootstrap_message(const Matches& a, const Matches& b,
                              const BootstrapOptions& options = {}) {
  try {
    bootstrap(a, b, options);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::bad_argument);
    return error.what();
  }
  return "nothing was thrown";
}

/// Each image as often as it counts, copies under ids of their own that keep the images' order.
struct Copies {
  Annotations annotations;
  std::vector<Detection> detections;
};

Copies copies_of(const RandomCase& original, const Matches& matches,
                 const std::vector<std::uint32_t>& counts) {
  constexpr std::int64_t kCopies = 10;
  Copies copies;
  copies.annotations.categories = original.annotations.categories;
  std::int64_t box_id = 1;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    for (std::int64_t copy = 0; copy < counts[i]; ++copy) {
      const auto image = static_cast<std::int64_t>(i) * kCopies + copy;
      copies.annotations.images.push_back({.id = image, .file_name = {}});
      for (Box box : original.annotations.boxes) {
        if (box.image_id != matches.image_ids[i]) continue;
        if (box.id != 0) box.id = box_id++;
        box.image_id = image;
        copies.annotations.boxes.push_back(box);
      }
      for (Detection detection : original.detections) {
        if (detection.image_id != matches.image_ids[i]) continue;
        detection.image_id = image;
        copies.detections.push_back(detection);
      }
    }
  }
  return copies;
}

double mean_precision(const Matches& matches, const std::vector<std::uint32_t>& counts) {
  double sum = 0;
  double classes = 0;
  for (const ClassMatches& one : matches.classes) {
    const auto precisions = detail::average_precisions(one, detail::ImageCounts(counts));
    if (!precisions) continue;
    for (const double precision : *precisions) sum += precision / kThresholds;
    ++classes;
  }
  return classes > 0 ? sum / classes : -1;
}

TEST(Bootstrap, EvaluatesAResampleAsIfEachImageWereThereThatOften) {
  int compared = 0;
  for (std::uint32_t seed = 0; seed < 40; ++seed) {
    RandomCase original = random_case(seed);
    // Among equal scores of one image, copies of a detection stand together here and apart there.
    double rank = 0;
    for (Detection& detection : original.detections) detection.score += 1e-9 * ++rank;
    const Matches matches = match(original.annotations, original.detections);
    std::vector<std::uint32_t> counts;
    for (std::size_t i = 0; i < matches.image_ids.size(); ++i) {
      counts.push_back(static_cast<std::uint32_t>((i * 7 + seed) % 4));
    }
    const Copies copies = copies_of(original, matches, counts);
    if (copies.annotations.images.empty()) continue;
    const Metrics expected = evaluate(copies.annotations, copies.detections);

    EXPECT_NEAR(mean_precision(matches, counts), expected[Figure::ap], 1e-12) << "seed " << seed;
    compared += expected[Figure::ap] > 0 ? 1 : 0;
  }
  EXPECT_GT(compared, 20);
}

TEST(Bootstrap, MeasuresTheDifferenceOnTheImagesAsTheyAre) {
  const auto result = bootstrap(finds_all_but(20, 40), finds_all_but(4, 40));

  // 20 of 40 boxes reach the 51 recalls up to .50, 36 of 40 the 91 up to .90.
  EXPECT_NEAR(result.ap.value, (91.0 - 51.0) / 101, 1e-9);
  EXPECT_NEAR(result.ap50.value, (91.0 - 51.0) / 101, 1e-9);
  EXPECT_EQ(result.images, 40u);
  EXPECT_EQ(result.resamples, 1000u);
}

TEST(Bootstrap, CoversTheSpreadOfTheBinomialLaw) {
  const std::int64_t images = 400;
  const auto result = bootstrap(finds_all_but(0, images), finds_all_but(100, images));

  // A quarter of the images is missed: the share varies by sqrt(p (1 - p) / n) = 0.0217.
  const double spread = 1.96 * std::sqrt(0.25 * 0.75 / 400);
  EXPECT_NEAR(result.ap.interval.low, -0.25 - spread, 0.01);
  EXPECT_NEAR(result.ap.interval.high, -0.25 + spread, 0.01);
  EXPECT_FALSE(result.ap.interval.holds_zero());
}

TEST(Bootstrap, FindsNothingBetweenAModelAndItself) {
  const Matches matches = finds_all_but(3, 20);
  const auto result = bootstrap(matches, matches);

  EXPECT_EQ(result.ap.value, 0);
  EXPECT_EQ(result.ap.interval.low, 0);
  EXPECT_EQ(result.ap.interval.high, 0);
  EXPECT_TRUE(result.ap.interval.holds_zero());
}

TEST(Bootstrap, DependsOnTheSeedAlone) {
  const Matches a = finds_all_but(0, 30);
  const Matches b = finds_all_but(7, 30);

  const auto once = bootstrap(a, b, {.resamples = 200, .seed = 5});
  const auto again = bootstrap(a, b, {.resamples = 200, .seed = 5});
  const auto other = bootstrap(a, b, {.resamples = 200, .seed = 6});

  EXPECT_EQ(once.ap.interval.low, again.ap.interval.low);
  EXPECT_EQ(once.ap.interval.high, again.ap.interval.high);
  EXPECT_NE(std::pair(once.ap.interval.low, once.ap.interval.high),
            std::pair(other.ap.interval.low, other.ap.interval.high));
}

TEST(Bootstrap, RefusesModelsOnDifferentImagesAndNothingToDraw) {
  EXPECT_THAT(bootstrap_message(finds_all_but(0, 3), finds_all_but(0, 4)),
              HasSubstr("3 and 4 images"));
  EXPECT_THAT(bootstrap_message({}, {}), HasSubstr("needs images"));
  EXPECT_THAT(bootstrap_message(finds_all_but(0, 3), finds_all_but(0, 3), {.resamples = 0}),
              HasSubstr("needs a resample"));
}

}  // namespace
}  // namespace yoloq::coco
