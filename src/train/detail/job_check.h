// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "train/training.h"

namespace yoloq::train::detail {

/// Refuses what cannot be trained before anything is read for it.
///
/// @throws Error(bad_argument), Error(unsupported) saying what to change.
void check_job(const Job& job);

}  // namespace yoloq::train::detail
