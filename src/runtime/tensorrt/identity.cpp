// SPDX-License-Identifier: Apache-2.0
#include <string>

#include "runtime/tensorrt/backend.h"
#include "runtime/tensorrt/detail/cuda.h"
#include "runtime/tensorrt/detail/library.h"

namespace yoloq::runtime::tensorrt {

std::string identity() {
  constexpr std::string_view kProduct = YOLOQ_TENSORRT_STAND_IN ? "TensorRT-RTX " : "TensorRT ";
  std::string text = std::string(kProduct) + Library::get().version() + " on ";
  const int count = device_count();
  for (int i = 0; i < count; ++i) {
    text.append(i == 0 ? "" : "; ").append(text_of(find_device(i)));
  }
  return text;
}

}  // namespace yoloq::runtime::tensorrt
