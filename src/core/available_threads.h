// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace yoloq {

/// The processors that this process may use: the least of its affinity mask and of the CPU quota of
/// its control groups, at least 1.
int available_threads();

}  // namespace yoloq
