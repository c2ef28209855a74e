// SPDX-License-Identifier: Apache-2.0
#include "runtime/tensorrt/detail/timing_cache.h"

#include <string>

#include "core/error.h"
#include "core/file.h"

namespace yoloq::runtime::tensorrt {

void TimingCache::attach(nvinfer1::IBuilderConfig& config, Log& log) {
  if (file_.empty()) return;
  const std::string times = std::filesystem::exists(file_) ? read_file(file_) : std::string();
  cache_.reset(config.createTimingCache(times.data(), times.size()));
  if (!cache_) {
    fail(ErrorCode::backend, "TensorRT reads no timing cache from '{}': {}", file_.string(),
         log.take_errors());
  }
  constexpr bool kAlsoOfOtherGpus = false;
  if (config.setTimingCache(*cache_, kAlsoOfOtherGpus)) return;
  fail(ErrorCode::unsupported,
       "the timing cache '{}' is of another TensorRT or another GPU ({}): name another file",
       file_.string(), log.take_errors());
}

void TimingCache::save(Log& log) const {
  if (!cache_) return;
  const std::unique_ptr<nvinfer1::IHostMemory> times(cache_->serialize());
  if (!times) fail(ErrorCode::backend, "TensorRT gives no timing cache: {}", log.take_errors());
  write_file(file_, {static_cast<const char*>(times->data()), times->size()});
}

}  // namespace yoloq::runtime::tensorrt
