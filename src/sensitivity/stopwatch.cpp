// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <ctime>

#include "sensitivity/methods.h"

namespace yoloq::sensitivity {

namespace {

double now_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

}  // namespace

Stopwatch::Stopwatch() : start_seconds_(now_seconds()), start_cpu_seconds_(cpu_seconds()) {}

Effort Stopwatch::elapsed() const {
  return {.seconds = now_seconds() - start_seconds_,
          .cpu_seconds = cpu_seconds() - start_cpu_seconds_};
}

}  // namespace yoloq::sensitivity
