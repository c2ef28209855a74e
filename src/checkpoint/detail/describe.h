// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "checkpoint/detail/tensors.h"
#include "checkpoint/pickle.h"
#include "model/description.h"

namespace yoloq::checkpoint {

/// Translates what a checkpoint's pickle holds, with storages from `source`.
///
/// @throws Error(corrupt_file, unsupported) naming the key or module that is wrong.
model::Description describe(const pickle::Document& document, StorageSource source);

}  // namespace yoloq::checkpoint
