// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

namespace yoloq::runtime {

/// What a GPU does at this moment.
struct GpuState {
  double power_w = 0;
  unsigned clock_mhz = 0;  ///< Of its multiprocessors.
};

/// Asks NVIDIA's management library (NVML), opened at run time.
///
/// @returns none where there is no such library, no such GPU, or it does not tell.
std::optional<GpuState> read_gpu_state(int device);

}  // namespace yoloq::runtime
