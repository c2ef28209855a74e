// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "model/description.h"

namespace yoloq::test {

struct TinyOptions {
  int classes = 3;
  int width = 8;  ///< Channels of the first layer.
  std::uint32_t seed = 1;
  model::Activation act{model::Activation::Kind::silu};
};

/// A whole YOLOv5 detector in the layout of v6 (backbone with C3 and SPPF, a neck with Upsample and
/// Concat, three heads at strides 8, 16 and 32) that is small enough to run in a test: about twenty
/// convolutions of 8 to 32 channels. Classes are named "class 0", ...
///
/// Weights are random, the same for the same seed on every machine, and scaled so that activations
/// neither vanish nor explode; BatchNorm statistics differ per channel. The heads give boxes of all
/// classes with scores from nearly 0 to nearly 1.
model::Description tiny_model(const TinyOptions& options = {});

/// The same in the layout of v5.0: Focus first, SPP instead of SPPF, BottleneckCSP in the neck.
model::Description tiny_model_v5(const TinyOptions& options = {});

}  // namespace yoloq::test
