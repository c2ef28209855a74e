// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "core/progress.h"

namespace yoloq::cli {

/// A Progress that writes to standard error: a bar with rate and time left where that is a
/// terminal, a plain line every ten percent elsewhere. Ends its line when the last unit is done.
///
/// @param note  what stands behind the figures, asked for at each line; may be empty.
/// @param done  units that were finished before; they do not count for the rate.
Progress progress_bar(std::string title, std::function<std::string()> note = {},
                      std::size_t done = 0);

}  // namespace yoloq::cli
