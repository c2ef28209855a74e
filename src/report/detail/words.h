// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "coco/bootstrap.h"
#include "report/document.h"
#include "report/run.h"

/// @file
/// How figures and what is missing are said in every section.

namespace yoloq::report::detail {

/// "0.2851"; "-" where there is no box to be found.
inline std::string ap_text(double ap) { return ap < 0 ? "-" : fmt::format("{:.4f}", ap); }

/// "-0.0115 to -0.0007".
inline std::string interval_text(const coco::Difference& gap) {
  return fmt::format("{:+.4f} to {:+.4f}{}", gap.interval.low, gap.interval.high,
                     gap.interval.holds_zero() ? ", may be chance" : "");
}

/// "12.3"; "-" where nothing was measured.
inline std::string ms_text(double ms) { return ms > 0 ? fmt::format("{:.2f}", ms) : "-"; }

/// The command with the folder of the run where it says {}.
inline Missing missing(const RunFolder& run, std::string what, std::string_view command) {
  return {.what = std::move(what),
          .command = fmt::format(fmt::runtime(command), run.folder.string())};
}

/// How to get an evaluation with everything in it.
inline constexpr std::string_view kEvalCommand =
    "yoloq eval --weights MODEL.pt --model MODEL-int8.onnx --data DATA.yaml --run {}";

}  // namespace yoloq::report::detail
