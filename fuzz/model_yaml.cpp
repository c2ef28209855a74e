// SPDX-License-Identifier: Apache-2.0
/// @file
/// Any bytes as a model yaml: an Error or a detector that can be emitted, never a crash.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/error.h"
#include "model/read_yaml.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    yoloq::model::describe_yaml(text, {.seed = std::nullopt});
  } catch (const yoloq::Error&) {
  }
  return 0;
}
