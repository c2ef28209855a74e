// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "model/description.h"

namespace yoloq::model::detail {

/// How a convolution slides. Absent padding: half the (dilated) kernel, so that stride 1 keeps the
/// size.
struct ConvShape {
  Pair kernel{1, 1};
  Pair stride{1, 1};
  std::optional<Pair> padding = std::nullopt;
  std::int64_t groups = 1;
  std::int64_t dilation = 1;
};

/// The middle of a Bottleneck or C3: what is passed on to each of its parts.
struct Inner {
  bool shortcut = true;
  std::int64_t groups = 1;
  double expansion = 0.5;    ///< Hidden channels per output channel.
  std::int64_t repeats = 1;  ///< Of bottlenecks; C3 and BottleneckCSP.
};

/// The kernel of a CrossConv: 1 x size, then size x 1.
struct Cross {
  std::int64_t size = 3;
  std::int64_t stride = 1;
};

/// Makes modules of given channels whose convolutions are 0 and whose normalisations do nothing.
///
/// Source: Ultralytics YOLOv5 v7.0, models/common.py.
///
/// @throws Error(corrupt_file) for channels that groups do not divide or sizes that are not
///         positive; Error(unsupported) if the weights would take gigabytes.
class BlankBlocks {
 public:
  /// @param act  Of every Conv; of BottleneckCSP too.
  explicit BlankBlocks(Activation act) : act_(act) {}

  const Activation& act() const { return act_; }

  Conv2d conv2d(std::int64_t in, std::int64_t out, const ConvShape& shape, bool with_bias);
  BatchNorm2d batch_norm(std::int64_t channels);
  Conv conv(std::int64_t in, std::int64_t out, const ConvShape& shape = {});
  Bottleneck bottleneck(std::int64_t in, std::int64_t out, const Inner& inner);
  Bottleneck cross_conv(std::int64_t in, std::int64_t out, const Cross& cross, const Inner& inner);
  C3 c3(std::int64_t in, std::int64_t out, const Inner& inner);
  /// A C3 of CrossConvs.
  C3 c3x(std::int64_t in, std::int64_t out, const Inner& inner);
  C3SPP c3spp(std::int64_t in, std::int64_t out, const std::vector<std::int64_t>& windows,
              double expansion);
  BottleneckCSP bottleneck_csp(std::int64_t in, std::int64_t out, const Inner& inner);
  SPP spp(std::int64_t in, std::int64_t out, const std::vector<std::int64_t>& windows);
  SPPF sppf(std::int64_t in, std::int64_t out, std::int64_t window);

 private:
  C3 empty_c3(std::int64_t in, std::int64_t out, std::int64_t hidden);
  Tensor filled(const Shape& shape, float value);

  Activation act_;
  std::int64_t elements_ = 0;  ///< Of all tensors so far.
};

}  // namespace yoloq::model::detail
