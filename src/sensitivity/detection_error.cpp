// SPDX-License-Identifier: Apache-2.0
#include "sensitivity/detection_error.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace yoloq::sensitivity {

namespace {

constexpr std::size_t kObjectness = 4;  // Behind x, y, w, h.
constexpr std::size_t kFirstClass = 5;

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

/// One anchor's logits in one cell: a channel is `step` values behind the one before.
struct Place {
  const float* first;
  std::size_t step;

  double operator[](std::size_t channel) const { return first[channel * step]; }
};

/// Pixels; x and y from the cell's corner.
struct CellBox {
  double x, y, width, height;
};

CellBox box_at(const Place& place, const Level& level, const model::Anchor& anchor) {
  const auto side = [](double logit) { return std::pow(2 * sigmoid(logit), 2); };
  return {.x = 2 * sigmoid(place[0]) * level.stride,
          .y = 2 * sigmoid(place[1]) * level.stride,
          .width = side(place[2]) * anchor[0],
          .height = side(place[3]) * anchor[1]};
}

double overlap(double a, double a_size, double b, double b_size) {
  return std::max(
      0.0, std::min(a + a_size / 2, b + b_size / 2) - std::max(a - a_size / 2, b - b_size / 2));
}

double iou(const CellBox& a, const CellBox& b) {
  const double both = overlap(a.x, a.width, b.x, b.width) * overlap(a.y, a.height, b.y, b.height);
  const double any = a.width * a.height + b.width * b.height - both;
  return any > 0 ? both / any : 1;
}

std::size_t likeliest(const Place& place, std::int64_t classes) {
  std::size_t best = kFirstClass;
  for (std::size_t c = 1; c < static_cast<std::size_t>(classes); ++c) {
    if (place[kFirstClass + c] > place[best]) best = kFirstClass + c;
  }
  return best;
}

}  // namespace

DetectionError detection_error(const Level& level, const detect::HeadOutput& base,
                               const detect::HeadOutput& actual) {
  const std::size_t channels = kFirstClass + static_cast<std::size_t>(level.classes);
  const auto all = static_cast<std::int64_t>(channels * level.anchors.size());
  if (base.shape.size() != 4 || base.shape[1] != all || base.shape != actual.shape) {
    fail(ErrorCode::bad_argument, "a head with {} anchors and {} classes is not {}",
         level.anchors.size(), level.classes, to_string(base.shape));
  }
  const auto cells = static_cast<std::size_t>(base.shape[2] * base.shape[3]);
  DetectionError error;
  for (std::size_t a = 0; a < level.anchors.size(); ++a) {
    for (std::size_t cell = 0; cell < cells; ++cell) {
      const std::size_t first = a * channels * cells + cell;
      const Place was{&base.values[first], cells};
      const double objectness = sigmoid(was[kObjectness]);
      if (objectness < kLeastObjectness) continue;
      const Place is{&actual.values[first], cells};
      const std::size_t best = likeliest(was, level.classes);
      const double confidence = objectness * sigmoid(was[best]);
      const model::Anchor& anchor = level.anchors[a];
      error.weight += confidence;
      error.box += confidence * (1 - iou(box_at(was, level, anchor), box_at(is, level, anchor)));
      error.score += std::abs(sigmoid(is[kObjectness]) * sigmoid(is[best]) - confidence);
    }
  }
  return error;
}

std::vector<Level> levels_of(const pipeline::DetectionModel& model, const graph::Graph& base) {
  const auto& anchors = model.head.anchors;
  if (anchors.size() != base.outputs.size()) {
    fail(ErrorCode::unsupported,
         "'{}' has anchors for {} levels and {} convolutions at its head: 'fast' needs them to say "
         "what moved; give --anchors, or use --method sqnr",
         model.name, anchors.size(), base.outputs.size());
  }
  std::vector<Level> levels;
  for (std::size_t i = 0; i < anchors.size(); ++i) {
    const auto shape = graph::fixed_shape(base.outputs[i].type.dims.value_or(graph::Dims{}));
    if (!shape || shape->size() != 4) {
      fail(ErrorCode::unsupported, "'{}' has a head of unknown shape: use --method sqnr",
           model.name);
    }
    levels.push_back(
        {.anchors = anchors[i],
         .stride = static_cast<double>(model.size.width) / static_cast<double>(shape->back()),
         .classes = model.head.class_count});
  }
  return levels;
}

std::optional<double> moved_part(std::span<const Level> levels,
                                 std::span<const detect::HeadOutput> base,
                                 std::span<const detect::HeadOutput> actual) {
  double weight = 0;
  double moved = 0;
  for (std::size_t i = 0; i < levels.size(); ++i) {
    const DetectionError error = detection_error(levels[i], base[i], actual[i]);
    weight += error.weight;
    moved += error.box + error.score;
  }
  return weight > 0 ? std::optional(moved / weight) : std::nullopt;
}

}  // namespace yoloq::sensitivity
