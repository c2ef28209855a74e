// SPDX-License-Identifier: Apache-2.0
#include "runtime/tensorrt/detail/timing_cache.h"

#include <algorithm>
#include <string_view>

#include "core/error.h"
#include "core/file.h"
#include "core/hash.h"

namespace yoloq::runtime::tensorrt {

namespace {

constexpr std::string_view kFirstLine = "yoloq timing cache 1";

/// Takes the first line off `text`.
std::string_view take_line(std::string_view& text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(line.size() + 1, text.size()));
  return line;
}

}  // namespace

std::string TimingCache::times_in_file() const {
  if (!std::filesystem::exists(file_)) return {};
  const std::string content = read_file(file_);
  std::string_view rest = content;
  const bool ours = take_line(rest) == kFirstLine;
  const std::string_view origin = take_line(rest);
  const std::string_view hash = take_line(rest);
  if (!ours || hash != hash_of(rest)) {
    fail(ErrorCode::corrupt_file,
         "'{}' is no timing cache of yoloq or is damaged: name another file, or delete it",
         file_.string());
  }
  if (origin != origin_) {
    fail(ErrorCode::unsupported,
         "the timing cache '{}' was measured with TensorRT {}, this is {}: name another file",
         file_.string(), origin, origin_);
  }
  return std::string(rest);
}

void TimingCache::attach(nvinfer1::IBuilderConfig& config, Log& log) {
  if (file_.empty()) return;
  const std::string times = times_in_file();
  cache_.reset(config.createTimingCache(times.data(), times.size()));
  constexpr bool kAlsoOfOtherGpus = false;
  if (cache_ && config.setTimingCache(*cache_, kAlsoOfOtherGpus)) {
    // TensorRT 8.5 says that it will not use what it wrote itself, and then serves all of it but
    // Myelin's part. That is no reason for a build that fails later.
    log.take_errors();
    return;
  }
  fail(ErrorCode::backend, "TensorRT does not take the timing cache '{}': {}", file_.string(),
       log.take_errors());
}

void TimingCache::save(Log& log) const {
  if (!cache_) return;
  const std::unique_ptr<nvinfer1::IHostMemory> memory(cache_->serialize());
  if (!memory) fail(ErrorCode::backend, "TensorRT gives no timing cache: {}", log.take_errors());
  const std::string_view times(static_cast<const char*>(memory->data()), memory->size());
  write_file(file_, fmt::format("{}\n{}\n{}\n{}", kFirstLine, origin_, hash_of(times), times));
}

}  // namespace yoloq::runtime::tensorrt
