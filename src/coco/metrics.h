// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "coco/protocol.h"

namespace yoloq::coco {

/// The twelve COCO figures, in pycocotools' order.
enum class Figure : std::size_t {
  ap,         ///< Mean average precision over the thresholds .50 to .95.
  ap50,       ///< At threshold .50.
  ap75,       ///< At threshold .75.
  ap_small,   ///< Boxes of an area up to 32 * 32.
  ap_medium,  ///< Up to 96 * 96.
  ap_large,   ///< Above.
  ar1,        ///< Mean recall with one detection of a class per image.
  ar10,       ///< With ten.
  ar100,      ///< With a hundred.
  ar_small,
  ar_medium,
  ar_large,
};

/// As in tables and JSON, in the order of Figure.
inline constexpr std::array<std::string_view, 12> kFigureNames{
    "AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl"};

/// One line of the table of classes.
struct ClassMetrics {
  std::int64_t category_id = 0;
  std::string name;
  double ap = -1.0;       ///< .50 to .95; -1 where no box is to be found.
  double ap50 = -1.0;     ///< -1 where no box is to be found.
  std::size_t boxes = 0;  ///< To be found: crowds do not count.
};

/// A setting that a precision-recall curve was made with.
struct Setting {
  std::size_t category = 0;                  ///< k, by ascending category id.
  std::size_t threshold = 0;                 ///< t, index in kThresholdValues.
  std::size_t area = 0;                      ///< a, index in kAreaRanges.
  std::size_t limit = kDetectionLimits - 1;  ///< m, index in kDetectionLimitValues.
};

/// pycocotools' arrays eval['precision'] [T, R, K, A, M] and eval['recall'] [T, K, A, M], held with
/// the recalls innermost so that a curve is one span.
class Curves {
 public:
  Curves() = default;
  explicit Curves(std::size_t categories);

  std::size_t categories() const { return recall_.size() / kSettings; }

  /// Precision at each of kRecallValues; all -1 where no box is to be found.
  std::span<const double, kRecalls> precision(const Setting& setting) const;
  std::span<double, kRecalls> precision(const Setting& setting);

  /// The highest recall that was reached; -1 where no box is to be found.
  double recall(const Setting& setting) const { return recall_[index_of(setting)]; }
  void set_recall(const Setting& setting, double recall) { recall_[index_of(setting)] = recall; }

 private:
  static constexpr std::size_t kSettings = kAreas * kDetectionLimits * kThresholds;
  static std::size_t index_of(const Setting& setting);

  std::vector<double> precision_;  // [K, A, M, T, R]
  std::vector<double> recall_;     // [K, A, M, T]
};

/// The result of an evaluation.
struct Metrics {
  std::array<double, kFigureNames.size()> figures{};  ///< In the order of Figure; -1: no boxes.
  std::vector<ClassMetrics> classes;                  ///< By ascending category id.
  Curves curves;
  std::size_t images = 0;            ///< Evaluated, with or without boxes.
  std::size_t boxes = 0;             ///< To be found, over all classes.
  std::size_t detections = 0;        ///< That took part: at most 100 of a class in an image.
  std::size_t unknown_category = 0;  ///< Detections left out as their category is not listed.

  double operator[](Figure figure) const { return figures[static_cast<std::size_t>(figure)]; }
};

}  // namespace yoloq::coco
