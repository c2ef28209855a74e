// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "graph/graph.h"

namespace yoloq::runtime::openvino {

/// How many layers have quantized weights, and how many of those avoid_saturation() put into float.
struct SaturationCount {
  int quantized = 0;
  int in_float = 0;

  friend bool operator==(const SaturationCount&, const SaturationCount&) = default;
};

/// Lets a layer whose 8-bit products could saturate compute in float, for CPUs without an 8-bit dot
/// product (runtime/cpu.h). Activations are still rounded: the result is what the file says.
///
///     before   w = DequantizeLinear(codes, s)  y = Conv(x, w)
///     after    w = codes * s, a constant       y = Conv(x, w)
///
/// Why: without that instruction OpenVINO's kernels multiply an activation code of 0..255 with a
/// weight code of -128..127 and add each two products in 16 bits, with saturation. Two products of
/// one output are safe if
///
///     255 * (sum of the two largest codes above 0) <= 32767, so that sum is 128 at most,
///     255 * (sum of the two smallest codes below 0) >= -32768, so that sum is -128 at least
///
/// for the codes of each output channel of a Conv, and for those of the whole weight elsewhere.
/// Which two products meet is up to the kernel (docs/decisions/0002-cpus-without-vnni.md), so any
/// two are taken to.
///
/// Leaves alone: weights that cannot saturate; weights that are not constants behind
/// DequantizeLinear, or with a scale or zero point that is computed; operators other than Conv,
/// ConvTranspose, MatMul and Gemm. A second run finds nothing to do.
SaturationCount avoid_saturation(graph::Graph& graph);

}  // namespace yoloq::runtime::openvino
