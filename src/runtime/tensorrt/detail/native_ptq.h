// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "runtime/engine.h"
#include "runtime/tensorrt/detail/version.h"

namespace yoloq::runtime::tensorrt {

/// Lets TensorRT calibrate by itself while it builds. Keeps the calibrator and what went wrong in
/// it, which cannot pass through TensorRT as an exception.
class NativeCalibration {
 public:
  virtual ~NativeCalibration() = default;

  /// Gives the calibrator to `config`.
  virtual void attach(nvinfer1::IBuilderConfig& config) = 0;

  /// @throws what NativePtq::next_batch threw, or writing the cache.
  virtual void rethrow() const = 0;
};

/// @throws Error(bad_argument) naming the known methods; Error(unsupported) from TensorRT 11 on,
///     saying what to use instead.
std::unique_ptr<NativeCalibration> make_native_calibration(const NativePtq& ptq);

}  // namespace yoloq::runtime::tensorrt
