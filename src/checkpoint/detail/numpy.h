// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "checkpoint/pickle.h"
#include "core/tensor.h"

/// @file
/// numpy's arrays and scalars as they stand in a pickle. Ultralytics' training code leaves some
/// among the numbers of a checkpoint.

namespace yoloq::checkpoint::numpy {

bool is_array(const pickle::View& value);

/// @throws Error(corrupt_file) if its shape and bytes differ, Error(unsupported) for element types
///         other than little-endian numbers and bools.
Tensor array_from(const pickle::View& value);

/// A number: Python's own or a numpy scalar; absent if it is neither.
std::optional<double> real_from(const pickle::View& value);

/// A whole number: Python's own or a numpy scalar; absent if it is neither.
std::optional<std::int64_t> integer_from(const pickle::View& value);

}  // namespace yoloq::checkpoint::numpy
