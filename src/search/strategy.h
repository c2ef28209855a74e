// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "search/candidate.h"

/// @file
/// In which order candidates are tried. What is tried next depends on the answers alone, so that a
/// search that was killed and goes on with the answers it had takes the same way.
///
///     default ─▶ options of full int8, one after the other ─▶ float layers on the best
///             ─▶ further options ─▶ float layers again if the best is another ─▶ ... until a whole
///                round of options gains nothing
///
/// A candidate is pruned where it is much worse before tuning. Options are judged by the loss on
/// the heads: AP of a few hundred images is too much a matter of luck to choose among twenty. AP
/// and time are measured of what is kept and of other structures.

namespace yoloq::search {

/// How candidates are measured.
struct Measurements {
  /// How far predictions move on images that nothing was tuned on; the smaller, the better.
  std::function<double(const Candidate&)> loss;
  std::function<double(const Candidate&)> ap;    ///< On the search images, 0 to 1.
  std::function<double(const Candidate&)> time;  ///< Per image, the default's is 1.
};

/// What there is to choose from.
struct Space {
  std::vector<std::size_t> image_counts;  ///< Of calibration images, besides the default's.
  /// The target's, which a candidate need not name.
  quantize::Residual residual = quantize::Residual::one;
  /// The layers that may stay in float, those that gain most for their time first.
  std::vector<std::string> layers;
  double float_ap = 0;  ///< More float layers than bring AP to this are not tried.
};

/// A candidate that was measured.
struct Tried {
  Candidate candidate;
  double loss = 0;
  bool complete = false;  ///< AP and time were measured, too.
  double ap = 0;
  double time = 1;
};

struct Search {
  std::vector<Tried> tried;
  std::size_t best_int8 = 0;  ///< The smallest loss of those without float layers.
  bool exhausted = false;     ///< It ended by itself: a whole round of options gained nothing.
};

/// An option is kept if it takes at least this part off the loss.
inline constexpr double kLeastGain = 0.01;

/// A candidate is not tuned if, rounded alone, it loses so many times more than the best one does.
inline constexpr double kHopeless = 1.25;

/// Tries candidates until `go_on` says no, which is asked before each but the first, or a
/// measurement ends with Error(cancelled).
///
/// @param report  called for each, with whether its options were kept; may be empty.
Search run_search(const Space& space, const Measurements& measure,
                  const std::function<bool()>& go_on,
                  const std::function<void(const Tried&, bool kept)>& report);

}  // namespace yoloq::search
