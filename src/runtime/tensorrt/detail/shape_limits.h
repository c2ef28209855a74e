// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <NvInfer.h>

#include <cstdint>

#include "runtime/engine.h"

namespace yoloq::runtime::tensorrt {

/// Shapes of the first input that a plan takes: those of its one profile. All are empty if its
/// sizes are fixed.
struct ShapeLimits {
  Shape least;
  Shape best;
  Shape most;

  static ShapeLimits of(const nvinfer1::ICudaEngine& plan, const PortInfo& input);

  /// The shape of a request: only its batch may be larger than the profile's. Empty means that of
  /// a port whose sizes are fixed.
  ///
  /// @throws Error(bad_argument) if it fits neither the port nor the profile.
  Shape settle(const PortInfo& port, const Shape& wanted) const;

  /// Images to compute at once when `rest` of a batch are left: as many as the profile takes, but
  /// what is left then is not fewer than it takes either.
  std::int64_t piece(std::int64_t rest) const;
};

}  // namespace yoloq::runtime::tensorrt
