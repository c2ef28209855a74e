// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include "coco/annotations.h"
#include "coco/detections.h"
#include "coco/match.h"

namespace yoloq::coco {

/// Why a detection is wrong, or that a box was not found. Overlaps are with boxes that are no
/// crowds; t_f = .5 makes a detection right, below t_b = .1 it is on background.
enum class ErrorKind : std::size_t {
  classification,  ///< Overlap of t_f or more with a box of another class.
  localisation,    ///< Overlap between t_b and t_f with a box of its class.
  both,            ///< Between t_b and t_f with a box of another class.
  duplicate,       ///< t_f or more with a box of its class that a surer detection has.
  background,      ///< t_b or less with every box.
  missed,          ///< A box that neither a right detection nor one of the first two kinds meets.
};

/// As in tables and JSON, in the order of ErrorKind.
inline constexpr std::array<std::string_view, 6> kErrorNames{"class",     "localisation", "both",
                                                             "duplicate", "background",   "missed"};

/// One kind of error.
struct ErrorShare {
  double gain = 0;        ///< AP50 with all errors of this kind fixed, minus AP50 as it is.
  std::size_t count = 0;  ///< Detections; of ErrorKind::missed, boxes.
};

/// What keeps AP50 from 1, by kind of error. The gains do not add up to what is missing, as fixing
/// one kind makes others matter more.
struct ErrorSplit {
  double ap50 = 0;  ///< Of the detections that take part; see split_errors().
  std::array<ErrorShare, kErrorNames.size()> shares{};  ///< In the order of ErrorKind.

  const ErrorShare& operator[](ErrorKind kind) const {
    return shares[static_cast<std::size_t>(kind)];
  }
};

/// Splits the errors of a detector. A wrong class or place is fixed by making the detection right,
/// unless its box is found already or a surer detection would get it: then it is left out, as are
/// duplicates and detections on background or with both faults. Missed boxes are fixed by not
/// asking for them.
///
/// The 100 surest detections of an image take part, of all classes together, where evaluate() takes
/// 100 of each class: ErrorSplit::ap50 can be below Figure::ap50. The mean is over the classes that
/// have boxes to be found, as there.
///
/// Source: Bolya, Foley, Hays and Hoffman, "TIDE: A General Toolbox for Identifying Object
/// Detection Errors", ECCV 2020, section 2; and its implementation tidecv 1.0.1, which takes the
/// mean over classes with detections as well.
///
/// @throws Error(bad_argument) as `match` does.
ErrorSplit split_errors(const Annotations& annotations, std::span<const Detection> detections,
                        const Options& options = {});

}  // namespace yoloq::coco
