// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "sensitivity/profile.h"

/// @file
/// Partial quantization: which layers stay in float, so that accuracy is kept for as little speed
/// as possible.
///
///     Profile ─▶ the most sensitive layers ─▶ [time of each in float] ─▶ order of gain per time
///             ─▶ one after the other, until [AP on the search images] is within the limit

namespace yoloq::sensitivity {

/// What the choice is made by. Layers are given by name.
struct Measurements {
  /// AP on the search images with these layers in float, 0 to 1.
  std::function<double(std::span<const std::string> float_layers)> ap;
  /// Time per image with these layers in float, as a multiple of that with none.
  std::function<double(std::span<const std::string> float_layers)> time;
};

struct PartialOptions {
  double max_drop = 0;          ///< AP points (of 100) below the float model's.
  std::size_t candidates = 12;  ///< The most sensitive layers that are looked at.
  std::function<void(const std::string&)> report;  ///< One line after each step; may be empty.
};

/// The model with one more layer in float than the step before.
struct PartialStep {
  std::string layer;  ///< That was added; empty: none is in float.
  double ap = 0;
  double drop = 0;  ///< AP points below the float model.
  double time = 1;  ///< That of this layer alone in float; of the first step 1.
};

struct PartialChoice {
  std::vector<std::string> float_layers;  ///< Of the best step.
  double drop = 0;                        ///< Of the best step, AP points.
  double ap = 0;
  bool met = false;                ///< Its drop is within the limit.
  std::vector<PartialStep> steps;  ///< All that were measured.
  std::string reason;              ///< Why it ended, one sentence.
};

/// A layer that costs less time than this part of an image's is taken to cost this much: in turns
/// of seconds, on a machine that others use, less cannot be told apart.
inline constexpr double kLeastTime = 0.01;

/// The most sensitive layers of a profile in the order in which they go to float: by what each
/// costs in accuracy, over the time that float costs it more than int8.
std::vector<PartialStep> in_order_of_worth(const Profile& profile, const Measurements& measure,
                                           const PartialOptions& options);

/// Adds float layers until the drop is within the limit. If no step is, the best one is chosen: the
/// smallest drop, and of equal ones the fewest layers.
///
/// @param float_ap  of the float model on the search images, 0 to 1.
/// @throws Error(bad_argument) if max_drop is negative or no number.
PartialChoice choose_float_layers(const Profile& profile, double float_ap,
                                  const Measurements& measure, const PartialOptions& options);

}  // namespace yoloq::sensitivity
