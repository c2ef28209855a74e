// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "coco/detail/group.h"
#include "coco/detections.h"
#include "coco/match.h"

namespace yoloq::coco::detail {

/// A cell is one class in one image: its boxes and its detections meet only each other.
class CellMatcher {
 public:
  /// @param boxes  of one class in one image, in the order of the file.
  void set_boxes(std::span<const PlacedBox> boxes);

  /// How many boxes are to be found, per area range.
  std::array<std::uint32_t, kAreas> counted() const;

  /// Judges one detection; to be called in order of falling score. Fills `matched` and `ignored`.
  void judge(const Detection& detection, Verdict& verdict);

 private:
  using Mask = std::uint16_t;

  struct Target {
    std::array<double, 4> bbox{};
    double area = 0.0;                   // width * height
    bool is_crowd = false;               // any number of detections may match it
    bool is_nameless = false;            // id 0, which pycocotools takes for "no match"
    std::array<bool, kAreas> ignored{};  // crowd, or outside of the area range
    std::array<Mask, kAreas> taken{};    // thresholds at which a detection has it
  };
  struct Candidate {
    Target* target = nullptr;
    double overlap = 0.0;
    Mask reached = 0;  // thresholds that the overlap reaches
  };

  void collect_candidates(const Detection& detection);
  Candidate* best_at(std::size_t threshold, std::size_t area);
  void assign(Candidate& candidate, std::size_t area, Mask thresholds, Verdict& verdict);

  std::vector<Target> targets_;
  std::vector<Candidate> candidates_;
};

}  // namespace yoloq::coco::detail
