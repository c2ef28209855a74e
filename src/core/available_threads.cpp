// SPDX-License-Identifier: Apache-2.0
#include "core/available_threads.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <optional>
#include <string>
#include <thread>

namespace yoloq {

namespace {

constexpr const char* kQuotaFile = "/sys/fs/cgroup/cpu.max";                  // Version 2.
constexpr const char* kOldQuotaFile = "/sys/fs/cgroup/cpu/cpu.cfs_quota_us";  // Version 1.
constexpr const char* kOldPeriodFile = "/sys/fs/cgroup/cpu/cpu.cfs_period_us";

int affinity() {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  if (::sched_getaffinity(0, sizeof mask, &mask) == 0) return CPU_COUNT(&mask);
  return static_cast<int>(std::thread::hardware_concurrency());
}

/// Processors that the control group grants, rounded up; none without a quota.
std::optional<int> granted(double quota_us, double period_us) {
  if (quota_us <= 0 || period_us <= 0) return std::nullopt;
  return static_cast<int>(std::ceil(quota_us / period_us));
}

std::optional<int> quota() {
  double quota_us = 0;
  double period_us = 0;
  if (std::ifstream file(kQuotaFile); file) {
    file >> quota_us >> period_us;  // "max 100000" leaves both at 0.
    return granted(quota_us, period_us);
  }
  std::ifstream(kOldQuotaFile) >> quota_us;  // -1: no quota.
  std::ifstream(kOldPeriodFile) >> period_us;
  return granted(quota_us, period_us);
}

}  // namespace

int available_threads() {
  const int allowed = affinity();
  return std::max(1, std::min(allowed, quota().value_or(allowed)));
}

}  // namespace yoloq
