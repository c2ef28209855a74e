// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <NvInfer.h>

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace yoloq::runtime::tensorrt {

/// Sums of the layers' times over the runs, from requests of any thread.
class Profiler final : public nvinfer1::IProfiler {
 public:
  void reportLayerTime(const char* name, float ms) noexcept override {
    const std::lock_guard lock(mutex_);
    auto& [sum, runs] = times_[name];
    sum += ms;
    ++runs;
  }

  bool has_times() const {
    const std::lock_guard lock(mutex_);
    return !times_.empty();
  }

  void forget() {
    const std::lock_guard lock(mutex_);
    times_.clear();
  }

  std::optional<double> mean_ms(const std::string& name) const {
    const std::lock_guard lock(mutex_);
    const auto found = times_.find(name);
    if (found == times_.end()) return std::nullopt;
    return found->second.first / found->second.second;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::pair<double, int>> times_;
};

}  // namespace yoloq::runtime::tensorrt
