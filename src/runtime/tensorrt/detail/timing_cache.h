// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <NvInfer.h>

#include <filesystem>
#include <memory>
#include <utility>

#include "runtime/tensorrt/detail/log.h"

namespace yoloq::runtime::tensorrt {

/// Times that builds have measured of kernels, in a file as trtexec's --timingCacheFile: the next
/// build measures none of them again. Must live longer than the builder.
class TimingCache {
 public:
  /// @param file  read if it is there; empty: no cache, everything below does nothing.
  explicit TimingCache(std::filesystem::path file) : file_(std::move(file)) {}

  /// Gives `config` what the file holds.
  ///
  /// @throws Error(unsupported) if another TensorRT or GPU made the file, Error(backend) if
  ///     TensorRT reads none from it.
  void attach(nvinfer1::IBuilderConfig& config, Log& log);

  /// Writes the file with what a build has added.
  void save(Log& log) const;

 private:
  std::filesystem::path file_;
  std::unique_ptr<nvinfer1::ITimingCache> cache_;
};

}  // namespace yoloq::runtime::tensorrt
