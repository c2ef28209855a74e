// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "calibrate/statistics.h"

namespace yoloq::calibrate {

/// Changes whenever the same images could give other bytes.
inline constexpr std::uint32_t kRangesFormatVersion = 1;

/// Where statistics come from.
struct Provenance {
  std::string key;                  ///< See cache_key() in ranges_cache.h.
  std::string model;                ///< Hash of the float model that ran.
  std::string preprocessing;        ///< Such as "letterbox 640 114 rgb /255".
  std::string tool;                 ///< Name and version of what wrote it.
  std::vector<std::string> images;  ///< Names; sorted when written.

  friend bool operator==(const Provenance&, const Provenance&) = default;
};

/// What one pass over the calibration images found out about the activations of a model.
struct Ranges {
  Provenance provenance;
  std::map<std::string, TensorStatistics, std::less<>> tensors;  ///< By the tensor's name.

  /// The statistics of a tensor.
  ///
  /// @throws Error(not_found) naming it, if it was not observed.
  const TensorStatistics& at(std::string_view tensor) const;

  friend bool operator==(const Ranges&, const Ranges&) = default;
};

/// Adds what a pass over other images found out. Tensors that only one of the two knows, values at
/// objects where there were none, are kept. The provenance is the caller's.
///
/// @throws as add_images() of statistics.h.
void add_images(Ranges& ranges, const Ranges& more);

/// The bytes of a .ranges file: equal values give equal bytes, on every machine.
///
///     "yoloq-ranges\n"  version  provenance  tensors by name  checksum (32 hexadecimal digits)
std::string serialize(const Ranges& ranges);

/// The inverse of serialize().
///
/// @throws Error(corrupt_file) if the bytes are not exactly what serialize() writes: cut short,
/// changed, or contradicting themselves; Error(unsupported) for another format version.
Ranges parse_ranges(std::string_view bytes);

}  // namespace yoloq::calibrate
