// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <string>

#include "core/tensor.h"

namespace yoloq::train::detail {

/// What a checkpoint remembers of a training, by name.
using SavedState = std::map<std::string, Tensor>;

/// What `state` has under a name, on the CPU.
///
/// @throws Error(corrupt_file) if there is nothing, or something of another shape than `like`.
at::Tensor stored(const SavedState& state, const std::string& name, const at::Tensor& like);

/// @throws Error(corrupt_file) if there is none.
std::int64_t stored_number(const SavedState& state, const std::string& name);

}  // namespace yoloq::train::detail
