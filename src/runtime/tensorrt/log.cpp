// SPDX-License-Identifier: Apache-2.0
#include "runtime/tensorrt/detail/log.h"

#include <utility>

namespace yoloq::runtime::tensorrt {

void Log::log(Severity severity, const char* message) noexcept {
  const std::lock_guard lock(mutex_);
  try {
    if (severity <= Severity::kERROR) errors_.append(errors_.empty() ? "" : "; ").append(message);
    if (listener_) listener_(message);
  } catch (...) {  // Called from within TensorRT, which no exception may pass.
    errors_ = "a message was lost";
  }
}

std::string Log::take_errors() {
  const std::lock_guard lock(mutex_);
  std::string errors = std::exchange(errors_, {});
  return errors.empty() ? "no reason was given" : errors;
}

}  // namespace yoloq::runtime::tensorrt
