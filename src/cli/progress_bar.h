// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/progress.h"

namespace yoloq::cli {

/// A Progress that writes to standard error: a bar with rate and time left where that is a
/// terminal, a plain line every ten percent elsewhere. Ends its line when the last unit is done.
Progress progress_bar(std::string title);

}  // namespace yoloq::cli
