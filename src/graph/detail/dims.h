// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "graph/ops.h"

/// @file
/// Sizes that are only known by name. Equal symbols are equal sizes, so that a rule may say
/// "(height+1)/2" and another one find it again. Longer symbols than kLongestSymbol are given up.

namespace yoloq::graph::detail {

inline constexpr std::size_t kLongestSymbol = 96;

/// (dim + addend) / divisor, rounded down.
Dim quotient(const Dim& dim, std::int64_t addend, std::int64_t divisor);

/// The size that an element stands for; an unknown one where it is not known or too long.
Dim dim_of(const Element& element);

/// The element that holds a size.
Element element_of(const Dim& dim);

/// What two dimensions broadcast to.
///
/// @throws Error(corrupt_file) if both are known and do not.
Dim broadcast(const Dim& a, const Dim& b);
Dims broadcast(const Dims& a, const Dims& b);

/// The better known of two descriptions of one dimension.
Dim merged(const Dim& a, const Dim& b);

Dims fixed_dims(const Shape& shape);

// Sums and products of elements; unknown where the result is no factor * symbol + offset.
Element sum(const Element& a, const Element& b);
Element product(const Element& a, const Element& b);
Element difference(const Element& a, const Element& b);
Element exact_quotient(const Element& a, const Element& b);

/// Whether two elements are equal; an unknown element where that depends on the input.
Element are_equal(const Element& a, const Element& b);

}  // namespace yoloq::graph::detail
