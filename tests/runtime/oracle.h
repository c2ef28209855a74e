// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "core/tensor.h"
#include "graph/graph.h"

namespace yoloq::test {

/// What ONNX Runtime computes, literally and without optimizations, in the order of the graph's
/// outputs. Inputs are float32, one per input of the graph.
std::vector<Tensor> run_in_onnxruntime(const graph::Graph& graph,
                                       const std::vector<Tensor>& inputs);

/// Uniform in -1..1, the same for the same seed on every machine.
Tensor random_tensor(const Shape& shape, std::uint32_t seed);

/// Uniform codes in -top..top.
Tensor random_codes(const Shape& shape, std::uint32_t seed, int top = 127);

/// The largest |a - b|, over the largest |a|.
double relative_difference(const Tensor& a, const Tensor& b);

/// Two convolutions of int8 weights on one quantized input, their Concat, quantized again, and a
/// third convolution: x [1, 16, 32, 32] -> y [1, 16, 32, 32]. Activations are int8 with zero point
/// 0, weight codes in -top..top.
graph::Graph concat_model(int top = 127);

}  // namespace yoloq::test
