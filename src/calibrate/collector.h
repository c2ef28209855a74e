// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "calibrate/ranges.h"

/// @file
/// Calibration turns the activations seen on sample images into ranges to quantize.
///
///     images -> runtime (float32) -> Collector -> Ranges -> compute_range (calibrator.h) ->
///     quantize
///
/// One pass over the images feeds every calibrator: what is kept of a tensor is a histogram, the
/// extremes and the sum of each channel (statistics.h). Nothing here knows a runtime.

namespace yoloq::calibrate {

/// Gathers the statistics of many tensors, from any number of threads.
///
/// The result does not depend on the order of images, on how they are batched, or on threads.
/// Memory: about 64 kB per tensor and 250 kB per thread that observes, however many images there
/// are (60 tensors, 2 threads: under 5 MB).
class Collector {
 public:
  /// @throws Error(bad_argument) if a name is empty or appears twice.
  explicit Collector(std::vector<std::string> tensors);
  ~Collector();
  Collector(Collector&&) noexcept;
  Collector& operator=(Collector&&) noexcept;

  /// Takes in one image's values of a tensor. May be called from several threads at once, also for
  /// the same tensor.
  ///
  /// @param index     of the tensor, in the order given to the constructor.
  /// @param values    [C, H, W], real values; one image, so call it once per image of a batch.
  /// @param channels  C; the same for every image.
  /// @param image     its name, for messages.
  /// @throws Error(bad_value) naming tensor, image and place, if a value is NaN or infinite;
  /// Error(bad_argument) if values do not make whole channels. Nothing is taken in then.
  void observe(std::size_t index, std::span<const float> values, std::int64_t channels,
               std::string_view image);

  /// The same for `values` of [H, W, C], as runtimes hold them. The statistics have the same bytes.
  void observe_channels_last(std::size_t index, std::span<const float> values,
                             std::int64_t channels, std::string_view image);

  /// The statistics of all tensors; the provenance is the caller's to fill in.
  ///
  /// @throws Error(bad_state) naming a tensor that was never observed.
  Ranges finish() &&;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace yoloq::calibrate
