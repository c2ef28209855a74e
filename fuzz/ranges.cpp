// SPDX-License-Identifier: Apache-2.0

/// @file
/// The reader of .ranges files: bytes as they are, and the same with a right checksum behind, so
/// that what is behind the checksum is reached as well. What is read must be written again alike.

#include "calibrate/ranges.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "calibrate/calibrator.h"
#include "core/error.h"
#include "core/hash.h"

namespace {

namespace calibrate = yoloq::calibrate;

void require(bool holds) {
  if (!holds) std::abort();
}

/// Whatever is accepted must be fit for every calibrator.
void compute_all(const calibrate::TensorStatistics& statistics) {
  for (const auto& info : calibrate::calibrators()) {
    for (const auto scheme : {calibrate::Scheme::symmetric, calibrate::Scheme::asymmetric}) {
      const auto range = calibrate::compute_range(statistics, info.name, {.scheme = scheme});
      require(range.low <= 0.0f && range.high >= 0.0f);
    }
  }
}

void read(std::string_view bytes) {
  try {
    const calibrate::Ranges ranges = calibrate::parse_ranges(bytes);
    require(calibrate::serialize(ranges) == bytes);
    if (!ranges.tensors.empty()) compute_all(ranges.tensors.begin()->second);
  } catch (const yoloq::Error&) {
    // A broken file is told apart from a good one; that is all.
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  read(bytes);
  read(bytes + yoloq::hash_of(bytes));
  return 0;
}
