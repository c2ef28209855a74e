// SPDX-License-Identifier: Apache-2.0
#include "detect/decode.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>

#include "core/error.h"
#include "detect/detail/layout.h"

namespace yoloq::detect {

namespace {

using vision::Rect;

constexpr std::size_t kObjectness = 4;
constexpr std::size_t kFirstClass = 5;

float sigmoid(float x) { return 1.0f / (1.0f + std::exp(-x)); }

/// A value whose sigmoid is certainly not above `probability`, with room for rounding. Logits below
/// it need no exponential.
float safe_logit(float probability) {
  constexpr float kLargest = 0.999f;  // Beyond, rounding of the probability outgrows the room.
  constexpr float kRoom = 1e-3f;
  if (probability <= 0) return -std::numeric_limits<float>::infinity();
  const float p = std::min(probability, kLargest);
  return std::log(p / (1.0f - p)) - kRoom;
}

/// Centre and sides to corners, in the order of operations of Ultralytics' xywh2xyxy().
Rect corners(float x, float y, float width, float height) {
  return {x - width / 2, y - height / 2, x + width / 2, y + height / 2};
}

/// A cell's box that may hold an object.
struct Survivor {
  Rect box;
  std::size_t at = 0;     ///< Where its values begin.
  float objectness = 0;   ///< Probability.
  float least_class = 0;  ///< What a class value needs at least, in the head's own terms.
  std::uint32_t row = 0;
};

/// Collects candidates from survivors.
class Collector {
 public:
  Collector(const DecodeOptions& options, int class_count) : options_(options) {
    wanted_.assign(class_count, options.classes.empty());
    for (const int wanted : options.classes) {
      if (wanted < 0 || wanted >= class_count) {
        fail(ErrorCode::bad_argument, "there is no class {}: the model has {}, from 0 to {}",
             wanted, class_count, class_count - 1);
      }
      wanted_[wanted] = true;
    }
  }

  bool wants(std::size_t class_index) const { return wanted_[class_index]; }
  float threshold() const { return options_.confidence; }

  void add(const Survivor& survivor, std::size_t class_index, float probability) {
    const float confidence = probability * survivor.objectness;
    if (!(confidence > options_.confidence)) return;
    found_.push_back({survivor.box, confidence, static_cast<int>(class_index), survivor.row});
  }

  std::vector<Candidate> take() { return std::move(found_); }

 private:
  const DecodeOptions& options_;
  std::vector<bool> wanted_;
  std::vector<Candidate> found_;
};

/// One level of a raw head, one anchor: H x W cells.
struct Plane {
  const float* values;      ///< Of the first cell's tx.
  detail::Layout layout;    ///< How far values lie apart.
  model::Anchor anchor;     ///< Pixels.
  float stride;             ///< Pixels.
  std::uint32_t first_row;  ///< Of the first cell.
};

Rect box_in(const Plane& plane, const float* values, std::size_t cell) {
  const std::size_t step = plane.layout.channel_step;
  const auto column = static_cast<float>(cell % plane.layout.width);
  const std::size_t row = cell / plane.layout.width;
  const auto line = static_cast<float>(row);
  const float width = 2.0f * sigmoid(values[2 * step]);
  const float height = 2.0f * sigmoid(values[3 * step]);
  return corners((sigmoid(values[0]) * 2.0f - 0.5f + column) * plane.stride,
                 (sigmoid(values[step]) * 2.0f - 0.5f + line) * plane.stride,
                 width * width * plane.anchor[0], height * height * plane.anchor[1]);
}

std::vector<Survivor> survivors_of(const Plane& plane, float threshold) {
  std::vector<Survivor> survivors;
  const detail::Layout& layout = plane.layout;
  const float least = safe_logit(threshold);
  const float* const objectness = plane.values + kObjectness * layout.channel_step;
  for (std::size_t cell = 0; cell < layout.cells(); ++cell) {
    const float logit = objectness[cell * layout.cell_step];
    if (!(logit > least)) continue;
    const float probability = sigmoid(logit);
    if (!(probability > threshold)) continue;
    const std::size_t at = cell * layout.cell_step;
    survivors.push_back({.box = box_in(plane, plane.values + at, cell),
                         .at = at,
                         .objectness = probability,
                         .least_class = safe_logit(threshold / probability),
                         .row = plane.first_row + static_cast<std::uint32_t>(cell)});
  }
  return survivors;
}

/// Every class: class by class, because the values of one class lie together.
void collect_all(const Plane& plane, std::span<const Survivor> survivors, Collector& collector,
                 std::size_t class_count) {
  for (std::size_t c = 0; c < class_count; ++c) {
    if (!collector.wants(c)) continue;
    const float* const values = plane.values + (kFirstClass + c) * plane.layout.channel_step;
    for (const Survivor& survivor : survivors) {
      const float logit = values[survivor.at];
      if (logit > survivor.least_class) collector.add(survivor, c, sigmoid(logit));
    }
  }
}

/// The likeliest class of each; `probability_at(c)` of the first class wins a tie.
template <typename ProbabilityAt>
void collect_best(const Survivor& survivor, Collector& collector, std::size_t class_count,
                  const ProbabilityAt& probability_at) {
  std::size_t best = 0;
  for (std::size_t c = 1; c < class_count; ++c) {
    if (probability_at(c) * survivor.objectness > probability_at(best) * survivor.objectness) {
      best = c;
    }
  }
  if (collector.wants(best)) collector.add(survivor, best, probability_at(best));
}

void collect_best_of_plane(const Plane& plane, std::span<const Survivor> survivors,
                           Collector& collector, std::size_t class_count) {
  std::vector<float> probabilities(class_count);
  for (const Survivor& survivor : survivors) {
    const float* const values = plane.values + survivor.at;
    for (std::size_t c = 0; c < class_count; ++c) {
      probabilities[c] = sigmoid(values[(kFirstClass + c) * plane.layout.channel_step]);
    }
    collect_best(survivor, collector, class_count, [&](std::size_t c) { return probabilities[c]; });
  }
}

void decode_raw(const Head& head, const HeadBatch& batch, const DecodeOptions& options,
                Collector& collector) {
  const auto class_count = static_cast<std::size_t>(head.class_count);
  std::uint32_t row = 0;
  for (std::size_t level = 0; level < head.outputs.size(); ++level) {
    const detail::Layout layout = detail::layout_of(head, batch, level);
    for (std::size_t a = 0; a < head.anchors[level].size(); ++a) {
      const float* const values = batch.outputs[level].values.data() +
                                  batch.image * layout.image_step + a * layout.anchor_step;
      const Plane plane{.values = values,
                        .layout = layout,
                        .anchor = head.anchors[level][a],
                        .stride = static_cast<float>(head.strides[level]),
                        .first_row = row};
      const std::vector<Survivor> survivors = survivors_of(plane, options.confidence);
      if (options.multi_label) {
        collect_all(plane, survivors, collector, class_count);
      } else {
        collect_best_of_plane(plane, survivors, collector, class_count);
      }
      row += static_cast<std::uint32_t>(layout.cells());
    }
  }
}

void decode_rows(const Head& head, const HeadBatch& batch, const DecodeOptions& options,
                 Collector& collector) {
  const detail::Rows rows = detail::rows_of(head, batch);
  const auto class_count = static_cast<std::size_t>(head.class_count);
  for (std::size_t i = 0; i < rows.count; ++i) {
    const float* const row = rows.values + i * rows.columns;
    const float objectness = row[kObjectness];
    if (!(objectness > options.confidence)) continue;
    const Survivor survivor{.box = corners(row[0], row[1], row[2], row[3]),
                            .objectness = objectness,
                            .row = static_cast<std::uint32_t>(i)};
    const float* const classes = row + kFirstClass;
    if (options.multi_label) {
      for (std::size_t c = 0; c < class_count; ++c) {
        if (collector.wants(c)) collector.add(survivor, c, classes[c]);
      }
    } else {
      collect_best(survivor, collector, class_count, [&](std::size_t c) { return classes[c]; });
    }
  }
}

}  // namespace

std::vector<Candidate> decode(const Head& head, const HeadBatch& batch,
                              const DecodeOptions& options) {
  detail::check(head, batch);
  Collector collector(options, head.class_count);
  if (head.form == HeadForm::decoded) {
    decode_rows(head, batch, options, collector);
  } else {
    decode_raw(head, batch, options, collector);
  }
  return collector.take();
}

}  // namespace yoloq::detect
