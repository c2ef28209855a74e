// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "quantize/quantize.h"
#include "quantize/tuning.h"

namespace yoloq::search {

/// One way to quantize a model.
struct Candidate {
  quantize::CalibratorChoice calibrator;
  bool by_tensor = false;  ///< Each tensor has the calibrator that moves predictions least.
  std::size_t images = 128;
  int object_weight = quantize::Options{}.object_weight;
  std::optional<quantize::Residual> residual;  ///< Absent: the target's.
  bool tuning = true;  ///< Of weights; without it they are rounded to nearest.
  double ridge = quantize::TuningOptions{}.ridge;
  std::size_t tuning_images = 32;
  std::vector<std::string> float_layers;  ///< Sorted.

  friend bool operator==(const Candidate&, const Candidate&) = default;
};

/// What `yoloq quantize` does without options.
const Candidate& default_candidate();

/// How it differs from the default: "calibrator=entropy ridge=0.3", or "default". Different
/// candidates have different texts.
std::string text_of(const Candidate& candidate);

/// The part of text_of() that the speed of a model depends on.
std::string structure_of(const Candidate& candidate);

}  // namespace yoloq::search
