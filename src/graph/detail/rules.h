// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include "graph/ops.h"

/// @file
/// The rules for the types of outputs and for the elements of small integer tensors.

namespace yoloq::graph::detail {

using Types = std::vector<ValueType>;
using Elements = std::optional<std::vector<Element>>;

// rules/elementwise.cpp
Types same_type(const TypeQuery&);        ///< The type of the first input.
Types broadcast_type(const TypeQuery&);   ///< All inputs broadcast, the type of the first.
Types comparison_type(const TypeQuery&);  ///< All inputs broadcast, bool.
Types where_type(const TypeQuery&);
Types cast_type(const TypeQuery&);
Types dropout_type(const TypeQuery&);
Types quantize_type(const TypeQuery&);
Types dequantize_type(const TypeQuery&);

// rules/convolution.cpp
Types conv_type(const TypeQuery&);
Types pool_type(const TypeQuery&);
Types global_pool_type(const TypeQuery&);
Types matmul_type(const TypeQuery&);
Types gemm_type(const TypeQuery&);

// rules/layout.cpp
Types concat_type(const TypeQuery&);
Types expand_type(const TypeQuery&);
Types flatten_type(const TypeQuery&);
Types reshape_type(const TypeQuery&);
Types squeeze_type(const TypeQuery&);
Types tile_type(const TypeQuery&);
Types transpose_type(const TypeQuery&);
Types unsqueeze_type(const TypeQuery&);

// rules/selection.cpp
Types gather_type(const TypeQuery&);
Types pad_type(const TypeQuery&);
Types resize_type(const TypeQuery&);
Types slice_type(const TypeQuery&);
Types split_type(const TypeQuery&);

// rules/reduce.cpp
Types arg_max_type(const TypeQuery&);
Types reduce_type(const TypeQuery&);

// rules/shape_values.cpp
Types constant_of_shape_type(const TypeQuery&);
Types constant_type(const TypeQuery&);
Types non_zero_type(const TypeQuery&);
Types range_type(const TypeQuery&);
Types shape_type(const TypeQuery&);
Types size_type(const TypeQuery&);

// rules/elements.cpp
Elements same_elements(const TypeQuery&);  ///< Of the first input, whose order is kept.
Elements add_elements(const TypeQuery&);
Elements cast_elements(const TypeQuery&);  ///< Kept where the new type is wide.
Elements concat_elements(const TypeQuery&);
Elements divide_elements(const TypeQuery&);
Elements equal_elements(const TypeQuery&);
Elements gather_elements(const TypeQuery&);
Elements multiply_elements(const TypeQuery&);
Elements shape_elements(const TypeQuery&);
Elements slice_elements(const TypeQuery&);
Elements subtract_elements(const TypeQuery&);
Elements where_elements(const TypeQuery&);

}  // namespace yoloq::graph::detail
