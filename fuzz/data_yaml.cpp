// SPDX-License-Identifier: Apache-2.0
/// @file
/// Any bytes as a data yaml and as a label file: an Error or a value, never a crash.
#include "dataset/data_yaml.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/error.h"
#include "dataset/labels.h"

namespace {

template <typename Read>
void survives(const Read& read) {
  try {
    read();
  } catch (const yoloq::Error&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  survives([&] { yoloq::dataset::parse_data_yaml(text, "data.yaml"); });
  survives([&] { yoloq::dataset::parse_labels(text, "labels.txt", 80); });
  return 0;
}
