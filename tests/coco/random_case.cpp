// SPDX-License-Identifier: Apache-2.0
#include "coco/random_case.h"

#include <fmt/core.h>

#include <array>
#include <cmath>
#include <random>

namespace yoloq::coco {

namespace {

constexpr double kSide = 200.0;  // pixels; boxes of all three area ranges fit

/// Draws that do not depend on the standard library's distributions.
class Dice {
 public:
  explicit Dice(std::uint32_t seed) : engine_(seed) {}

  std::int64_t below(std::int64_t bound) {
    return static_cast<std::int64_t>(engine_() % static_cast<std::uint64_t>(bound));
  }
  double unit() { return static_cast<double>(engine_() >> 11) * 0x1p-53; }
  bool chance(double probability) { return unit() < probability; }

 private:
  std::mt19937_64 engine_;
};

/// How a whole case is drawn.
struct Style {
  bool is_coarse = false;  // corners on a grid: overlaps of exactly .5, .75, ...
  bool has_ties = false;   // few different scores
  bool has_crowds = false;
  bool is_crowded = false;  // over a hundred detections of a class in an image
  bool is_wild = false;     // degenerate and huge boxes
  bool has_boxes = true;
  std::int64_t classes = 1;
};

Style draw_style(Dice& dice) {
  return {.is_coarse = dice.chance(0.5),
          .has_ties = dice.chance(0.5),
          .has_crowds = dice.chance(0.5),
          .is_crowded = dice.chance(0.15),
          .is_wild = dice.chance(0.3),
          .has_boxes = !dice.chance(0.04),
          .classes = dice.chance(0.3) ? 1 : 1 + dice.below(4)};
}

std::array<double, 4> draw_box(Dice& dice, const Style& style) {
  if (style.is_wild && dice.chance(0.1)) {
    const double huge = dice.chance(0.2) ? 1e308 : 1e160;
    std::array<double, 4> box{dice.unit() * 10, dice.unit() * 10, huge, dice.unit() * huge};
    if (dice.chance(0.5)) box[3] = 50;
    return box;
  }
  std::array<double, 4> box{};
  for (double& value : box) {
    value = style.is_coarse ? 20.0 * static_cast<double>(dice.below(5)) : dice.unit() * kSide / 2;
  }
  if (style.is_coarse) box[2] += 20, box[3] += 20;
  if (style.is_wild && dice.chance(0.1)) box[2] = 0;
  if (style.is_wild && dice.chance(0.1)) box[3] = -box[3];
  if (style.is_wild && dice.chance(0.05)) box[2] = -box[2];
  return box;
}

double draw_area(Dice& dice, const Box& box) {
  constexpr std::array<double, 8> kBounds{0, 1024, 1024.5, 9216, 9215.5, 1e10, 1e10 + 2, -1};
  if (dice.chance(0.2)) return kBounds[static_cast<std::size_t>(dice.below(8))];
  const double area = box.bbox[2] * box.bbox[3];
  if (!std::isfinite(area)) return 1e300;  // a file cannot say more
  return dice.chance(0.3) ? area * dice.unit() : area;
}

double draw_score(Dice& dice, const Style& style) {
  if (style.has_ties) return static_cast<double>(dice.below(4)) / 4 - (dice.chance(0.1) ? 0.5 : 0);
  return dice.unit();
}

void add_box(Dice& dice, const Style& style, std::int64_t image, Annotations& annotations) {
  Box box;
  const auto count = static_cast<std::int64_t>(annotations.boxes.size());
  box.id = dice.chance(0.02) && count == 0 ? 0 : count + 1;
  box.image_id = dice.chance(0.02) ? 987654 : image;
  box.category_id = 7 * dice.below(style.classes + (dice.chance(0.1) ? 1 : 0));
  box.bbox = draw_box(dice, style);
  box.area = draw_area(dice, box);
  box.is_crowd = style.has_crowds && dice.chance(0.25);
  box.ignore = dice.chance(0.1);
  annotations.boxes.push_back(box);
}

void add_detections(Dice& dice, const Style& style, std::int64_t image, RandomCase& result) {
  const std::vector<Box>& boxes = result.annotations.boxes;
  const std::int64_t count = style.is_crowded ? 90 + dice.below(150) : dice.below(14);
  for (std::int64_t i = 0; i < count; ++i) {
    Detection detection{.image_id = image,
                        .category_id = 7 * dice.below(style.classes + 1),
                        .bbox = draw_box(dice, style),
                        .score = draw_score(dice, style)};
    if (!boxes.empty() && dice.chance(0.6)) {
      const Box& box =
          boxes[static_cast<std::size_t>(dice.below(static_cast<std::int64_t>(boxes.size())))];
      detection.image_id = box.image_id == 987654 ? image : box.image_id;
      detection.category_id = box.category_id;
      detection.bbox = box.bbox;
      const auto side = static_cast<std::size_t>(dice.below(4));
      if (dice.chance(0.7)) detection.bbox[side] *= 1 + 0.3 * (dice.unit() - 0.5);
    }
    result.detections.push_back(detection);
  }
}

}  // namespace

RandomCase random_case(std::uint32_t seed) {
  Dice dice(seed);
  const Style style = draw_style(dice);
  RandomCase result;
  for (std::int64_t k = style.classes; k-- > 0;) {
    result.annotations.categories.push_back({7 * k, fmt::format("class {}", k)});
  }
  const std::int64_t images = 1 + dice.below(6);
  for (std::int64_t i = 0; i < images; ++i) {
    const std::int64_t id = dice.chance(0.5) ? 1000 - i : 1000000007 * i;
    if (i > 0 && id == 0) continue;
    result.annotations.images.push_back({id, 200, 200, fmt::format("{}.jpg", id)});
    if (!style.has_boxes) continue;
    for (std::int64_t b = dice.below(9); b > 0; --b) add_box(dice, style, id, result.annotations);
  }
  for (const Image& image : result.annotations.images) {
    if (!dice.chance(0.15)) add_detections(dice, style, image.id, result);
  }
  if (dice.chance(0.3)) {
    for (const Image& image : result.annotations.images) {
      if (dice.chance(0.6)) result.image_ids.push_back(image.id);
    }
  }
  return result;
}

std::string to_json(const Annotations& annotations) {
  std::string text = "{\"images\":[";
  std::string_view comma;
  for (const Image& image : annotations.images) {
    text += fmt::format(R"({}{{"id":{},"width":{},"height":{},"file_name":"{}"}})", comma, image.id,
                        image.width, image.height, image.file_name);
    comma = ",";
  }
  text += "],\"categories\":[";
  comma = "";
  for (const Category& category : annotations.categories) {
    text += fmt::format(R"({}{{"id":{},"name":"{}"}})", comma, category.id, category.name);
    comma = ",";
  }
  text += "],\"annotations\":[";
  comma = "";
  for (const Box& box : annotations.boxes) {
    text += fmt::format(
        R"({}{{"id":{},"image_id":{},"category_id":{},"bbox":[{},{},{},{}],"area":{},"iscrowd":{},"ignore":{}}})",
        comma, box.id, box.image_id, box.category_id, box.bbox[0], box.bbox[1], box.bbox[2],
        box.bbox[3], box.area, box.is_crowd ? 1 : 0, box.ignore ? 1 : 0);
    comma = ",";
  }
  return text + "]}";
}

}  // namespace yoloq::coco
