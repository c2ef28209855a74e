// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace yoloq::cli {

/// Rows of cells as aligned text: the first column to the left, the others to the right.
///
/// @param rows  the first row is the header; all have as many cells as it.
std::string to_table(const std::vector<std::vector<std::string>>& rows);

}  // namespace yoloq::cli
