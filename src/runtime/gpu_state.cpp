// SPDX-License-Identifier: Apache-2.0
#include "runtime/gpu_state.h"

#include <dlfcn.h>

namespace yoloq::runtime {

namespace {

// As nvml.h declares them: 0 is success, and clock type 1 that of the multiprocessors.
using Init = int();
using HandleByIndex = int(unsigned, void**);
using PowerUsage = int(void*, unsigned*);
using ClockInfo = int(void*, int, unsigned*);
constexpr int kMultiprocessorClock = 1;

template <typename Function>
Function* find(void* library, const char* name) {
  return reinterpret_cast<Function*>(::dlsym(library, name));
}

}  // namespace

std::optional<GpuState> read_gpu_state(int device) {
  static void* const library = ::dlopen("libnvidia-ml.so.1", RTLD_NOW);
  if (library == nullptr) return std::nullopt;
  const auto init = find<Init>(library, "nvmlInit_v2");
  const auto handle_by_index = find<HandleByIndex>(library, "nvmlDeviceGetHandleByIndex_v2");
  const auto power_usage = find<PowerUsage>(library, "nvmlDeviceGetPowerUsage");
  const auto clock_info = find<ClockInfo>(library, "nvmlDeviceGetClockInfo");
  if (!init || !handle_by_index || !power_usage || !clock_info || init() != 0) return std::nullopt;
  void* handle = nullptr;
  unsigned milliwatts = 0;
  GpuState state;
  if (handle_by_index(static_cast<unsigned>(device), &handle) != 0) return std::nullopt;
  if (power_usage(handle, &milliwatts) != 0) return std::nullopt;
  if (clock_info(handle, kMultiprocessorClock, &state.clock_mhz) != 0) return std::nullopt;
  state.power_w = milliwatts / 1000.0;
  return state;
}

}  // namespace yoloq::runtime
