// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/error.h"
#include "runtime/torch/device.h"

namespace yoloq::test {

/// Why LibTorch cannot compute on `count` GPUs here; empty if it can.
inline std::string why_not_on_gpus(int count) {
  try {
    runtime::torch::open_device("cuda:" + std::to_string(count - 1));
    return {};
  } catch (const Error& error) {
    return error.what();
  }
}

/// LibTorch looks for its CUDA half once, at the first gradient, and a test on the CPU may come
/// first: so before main().
inline const bool kGpusOpened = why_not_on_gpus(1).empty();

}  // namespace yoloq::test

/// Skips the test with the reason, for a test's own body or SetUp().
#define YOLOQ_NEED_GPUS(count)                                                   \
  if (const std::string why = yoloq::test::why_not_on_gpus(count); !why.empty()) \
  GTEST_SKIP() << "takes " << (count) << " GPU(s): " << why
