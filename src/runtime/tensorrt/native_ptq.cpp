// SPDX-License-Identifier: Apache-2.0
#include "runtime/tensorrt/detail/native_ptq.h"

#include <array>
#include <exception>
#include <string>
#include <type_traits>
#include <utility>

#include "core/error.h"
#include "core/file.h"
#include "core/tensor.h"
#include "runtime/tensorrt/backend.h"
#include "runtime/tensorrt/detail/cuda.h"

#pragma GCC diagnostic ignored "-Wdeprecated-declarations"  // Calibrators are, since TensorRT 10.1.

namespace yoloq::runtime::tensorrt {

namespace {

constexpr std::array<std::string_view, 4> kMethods{"minmax", "entropy", "entropy-legacy",
                                                   "percentile"};

}  // namespace

std::span<const std::string_view> native_calibrators() { return kMethods; }

#if NV_TENSORRT_MAJOR <= 10

namespace {

constexpr double kQuantile = 0.9999;  // NVIDIA's sample for YOLOv5 uses this one.

/// The part that TensorRT's calibrators have in common.
template <typename Calibrator>
class Calibration final : public NativeCalibration, public Calibrator {
 public:
  explicit Calibration(NativePtq ptq) : ptq_(std::move(ptq)) {
    const auto count = static_cast<std::size_t>(element_count(ptq_.batch));
    bytes_ = count * sizeof(float);
    if (std::filesystem::exists(ptq_.cache)) cache_ = read_file(ptq_.cache);
  }

  void attach(nvinfer1::IBuilderConfig& config) override { use_calibrator(config, *this); }

  void rethrow() const override {
    if (problem_) std::rethrow_exception(problem_);
  }

  std::int32_t getBatchSize() const noexcept override {
    return static_cast<std::int32_t>(ptq_.batch.front());
  }

  bool getBatch(void* bindings[], const char* /*names*/[], std::int32_t count) noexcept override {
    return guarded(false, [&] {
      if (count != 1) fail(ErrorCode::unsupported, "calibration feeds one input, not {}", count);
      buffer_.reserve(bytes_);
      const std::span values(reinterpret_cast<float*>(buffer_.host()), bytes_ / sizeof(float));
      if (!ptq_.next_batch(values)) return false;
      check(::cudaMemcpy(buffer_.device(), buffer_.host(), bytes_, cudaMemcpyHostToDevice),
            "uploading a calibration batch");
      bindings[0] = buffer_.device();
      return true;
    });
  }

  const void* readCalibrationCache(std::size_t& length) noexcept override {
    length = cache_.size();
    return cache_.empty() ? nullptr : cache_.data();
  }

  void writeCalibrationCache(const void* bytes, std::size_t length) noexcept override {
    guarded(false, [&] {
      if (!ptq_.cache.empty()) write_file(ptq_.cache, {static_cast<const char*>(bytes), length});
      return true;
    });
  }

  // Of the legacy calibrator only; the others never call them.
  double getQuantile() const noexcept { return kQuantile; }
  double getRegressionCutoff() const noexcept { return 1.0; }
  const void* readHistogramCache(std::size_t& length) noexcept {
    length = 0;
    return nullptr;
  }
  void writeHistogramCache(const void* /*bytes*/, std::size_t /*length*/) noexcept {}

 private:
  template <typename Act>
  bool guarded(bool otherwise, Act act) noexcept {
    try {
      return act();
    } catch (...) {
      if (!problem_) problem_ = std::current_exception();
      return otherwise;
    }
  }

  NativePtq ptq_;
  std::size_t bytes_ = 0;
  Buffer buffer_;
  std::string cache_;
  std::exception_ptr problem_;
};

}  // namespace

std::unique_ptr<NativeCalibration> make_native_calibration(const NativePtq& ptq) {
  if (ptq.method == "minmax") {
    return std::make_unique<Calibration<nvinfer1::IInt8MinMaxCalibrator>>(ptq);
  }
  if (ptq.method == "entropy") {
    return std::make_unique<Calibration<nvinfer1::IInt8EntropyCalibrator2>>(ptq);
  }
  if (ptq.method == "entropy-legacy") {
    return std::make_unique<Calibration<nvinfer1::IInt8EntropyCalibrator>>(ptq);
  }
  if (ptq.method == "percentile") {
    return std::make_unique<Calibration<nvinfer1::IInt8LegacyCalibrator>>(ptq);
  }
  fail(ErrorCode::bad_argument,
       "no calibrator '{}' of TensorRT; known: minmax, entropy, entropy-legacy, percentile",
       ptq.method);
}

#else

std::unique_ptr<NativeCalibration> make_native_calibration(const NativePtq& /*ptq*/) {
  fail(ErrorCode::unsupported,
       "TensorRT {}.{} has no calibrators: version 11 took out implicit INT8. Run 'yoloq quantize' "
       "and build its Q/DQ file",
       kMajor, kMinor);
}

#endif

}  // namespace yoloq::runtime::tensorrt
