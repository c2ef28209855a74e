// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <NvInfer.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "runtime/tensorrt/detail/log.h"

namespace yoloq::runtime::tensorrt {

/// Times that builds have measured of kernels, in a file: the next build measures none of them
/// again. Must live longer than the builder. The file:
///
///     "yoloq timing cache 1"             one line each
///     who measured: "8.5.3 on <GPU>"
///     XXH3-128 of the rest, 32 hex digits
///     TensorRT's own bytes
///
/// TensorRT 8.5 takes any bytes for a cache and says nothing, so the lines in front are checked.
class TimingCache {
 public:
  /// @param file  read if it is there; empty: no cache, everything below does nothing.
  /// @param origin  who measures: TensorRT's version and the GPU.
  TimingCache(std::filesystem::path file, std::string origin)
      : file_(std::move(file)), origin_(std::move(origin)) {}

  /// Gives `config` what the file holds.
  ///
  /// @throws Error(corrupt_file) if it is no such file or is damaged, Error(unsupported) if another
  ///     TensorRT or GPU made it, Error(backend) if TensorRT does not take it.
  void attach(nvinfer1::IBuilderConfig& config, Log& log);

  /// Writes the file with what a build has added.
  void save(Log& log) const;

 private:
  std::string times_in_file() const;

  std::filesystem::path file_;
  std::string origin_;
  std::unique_ptr<nvinfer1::ITimingCache> cache_;
};

}  // namespace yoloq::runtime::tensorrt
