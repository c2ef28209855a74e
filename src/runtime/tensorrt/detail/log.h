// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <NvInfer.h>

#include <functional>
#include <mutex>
#include <string>
#include <string_view>

namespace yoloq::runtime::tensorrt {

/// Keeps what TensorRT says went wrong until somebody asks, and hands on every line. Thread-safe.
class Log final : public nvinfer1::ILogger {
 public:
  explicit Log(std::function<void(std::string_view)> listener = {})
      : listener_(std::move(listener)) {}

  void log(Severity severity, const char* message) noexcept override;

  /// The errors since the last call, joined; "no reason was given" if there were none.
  std::string take_errors();

 private:
  std::mutex mutex_;
  std::function<void(std::string_view)> listener_;
  std::string errors_;
};

}  // namespace yoloq::runtime::tensorrt
