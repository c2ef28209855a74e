// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "graph/ops.h"

/// @file
/// The reference kernels, by family. A kernel is named after its operator; families that share one
/// body are built from it in ops.cpp's table.

namespace yoloq::graph::detail {

using Tensors = std::vector<Tensor>;

// elementwise.cpp
Tensors abs(const Call&);
Tensors cast(const Call&);
Tensors ceil(const Call&);
Tensors clip(const Call&);
Tensors elu(const Call&);
Tensors erf(const Call&);
Tensors exp(const Call&);
Tensors floor(const Call&);
Tensors hard_sigmoid(const Call&);
Tensors hard_swish(const Call&);
Tensors identity(const Call&);
Tensors leaky_relu(const Call&);
Tensors log(const Call&);
Tensors logical_not(const Call&);
Tensors negate(const Call&);
Tensors reciprocal(const Call&);
Tensors relu(const Call&);
Tensors round(const Call&);
Tensors sigmoid(const Call&);
Tensors softplus(const Call&);
Tensors sqrt(const Call&);
Tensors tanh(const Call&);

// broadcasting.cpp
Tensors add(const Call&);
Tensors divide(const Call&);
Tensors equal(const Call&);
Tensors greater(const Call&);
Tensors greater_or_equal(const Call&);
Tensors less(const Call&);
Tensors less_or_equal(const Call&);
Tensors logical_and(const Call&);
Tensors logical_or(const Call&);
Tensors maximum(const Call&);
Tensors minimum(const Call&);
Tensors modulo(const Call&);
Tensors multiply(const Call&);
Tensors power(const Call&);
Tensors subtract(const Call&);
Tensors where(const Call&);

// convolution.cpp
Tensors batch_normalization(const Call&);
Tensors conv(const Call&);

// pooling.cpp
Tensors average_pool(const Call&);
Tensors global_average_pool(const Call&);
Tensors max_pool(const Call&);

// matrix.cpp
Tensors gemm(const Call&);
Tensors matmul(const Call&);

// layout.cpp
Tensors concat(const Call&);
Tensors expand(const Call&);
Tensors flatten(const Call&);
Tensors reshape(const Call&);
Tensors squeeze(const Call&);
Tensors tile(const Call&);
Tensors transpose(const Call&);
Tensors unsqueeze(const Call&);

// selection.cpp
Tensors gather(const Call&);
Tensors pad(const Call&);
Tensors scatter_nd(const Call&);
Tensors slice(const Call&);
Tensors split(const Call&);

// resize.cpp
Tensors resize(const Call&);

// reduce.cpp
Tensors arg_max(const Call&);
Tensors reduce_max(const Call&);
Tensors reduce_mean(const Call&);
Tensors reduce_min(const Call&);
Tensors reduce_prod(const Call&);
Tensors reduce_sum(const Call&);
Tensors softmax(const Call&);

// shape_values.cpp
Tensors constant(const Call&);
Tensors constant_of_shape(const Call&);
Tensors non_zero(const Call&);
Tensors range(const Call&);
Tensors shape(const Call&);
Tensors size(const Call&);

// quantize_linear.cpp
Tensors dequantize_linear(const Call&);
Tensors quantize_linear(const Call&);

}  // namespace yoloq::graph::detail
