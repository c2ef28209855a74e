// SPDX-License-Identifier: Apache-2.0
/// @file
/// Any bytes as a hyp file: an Error or numbers that are read again alike, never a crash; what
/// parsing accepts, the check calls usable.
#include "dataset/hyperparameters.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/error.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace dataset = yoloq::dataset;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const auto findings = dataset::check_hyperparameters(text, "hyp.yaml");
    if (std::ranges::any_of(findings, &dataset::HypFinding::fatal)) return 0;
    const auto read = dataset::parse_hyperparameters(text, "hyp.yaml");
    if (dataset::parse_hyperparameters(dataset::to_yaml(read), "again") != read) std::abort();
  } catch (const yoloq::Error&) {
    // No yaml of keys and values.
  }
  return 0;
}
