// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/tensor.h"
#include "quantize/weights.h"

/// @file
/// Weight codes that make up for what quantization does to a layer, in closed form, without labels
/// and without gradients:
///
///     x  float activations    x' what the quantized network gives the layer    y = W x + b
///
///     W* = argmin  E |(y - E y) - W (x' - E x')|^2  +  ridge * mean(diag A) * |W - W0|^2
///        = (C + r W0) (A + r I)^-1                  A = cov(x'), C = cov(y, x')
///
/// then W* is rounded to codes one input after the other, the error of each spread over those that
/// follow, in the metric A. Sweeps of coordinate descent then move single codes while that lowers
/// (W* - s c) A (W* - s c)^T.
///
/// Source: Frantar et al., "GPTQ", arXiv:2210.17323, for the rounding; the target W* is the ridge
/// regression of the float output on the quantized input.

namespace yoloq::quantize {

/// First and second moments of the patches that a convolution reads and of the outputs that it
/// should give, over sampled positions of its output.
class Moments {
 public:
  /// @param inputs   K: values of one patch, input channels times kernel height times width.
  /// @param outputs  O: output channels.
  Moments(std::int64_t inputs, std::int64_t outputs);
  ~Moments();
  Moments(Moments&&) noexcept;
  Moments& operator=(Moments&&) noexcept;

  /// @param patches  [n, K], what the quantized network reads.
  /// @param targets  [n, O], what the float layer gives there.
  void add(std::span<const float> patches, std::span<const float> targets);

  /// Adds what `other` has seen; the same bytes as if it had been added here, if that was one call.
  void add(const Moments& other);

  struct State;
  const State& state() const { return *state_; }

 private:
  std::unique_ptr<State> state_;
};

struct TuningOptions {
  double ridge = 1.0;       ///< How strongly W* is held at the float weight; larger is closer.
  double damping = 0.01;    ///< Added to the diagonal of A for rounding, in means of it.
  int top_code = kTopCode;  ///< Codes are -top_code..top_code.
  /// Scales that are tried per output channel, from that of the largest weight down; 1: that alone.
  int scales = 1;
  int sweeps = 0;  ///< Of coordinate descent over the codes, behind the rounding.
};

/// Codes and scales of one weight.
struct TunedWeight {
  std::vector<float> scales;       ///< [O]
  std::vector<std::int8_t> codes;  ///< [O, K], -top_code..top_code
};

/// @param weight  [O, K] float32, any shape of O * K elements.
TunedWeight tune_weight(std::span<const float> weight, const Moments& moments,
                        const TuningOptions& options = {});

}  // namespace yoloq::quantize
