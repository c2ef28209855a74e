// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <vector>

namespace yoloq::dataset::detail {

/// The files that match a pattern with * ? [] and ** for any number of folders, in no order; none
/// if the pattern has none of these.
std::vector<std::filesystem::path> files_matching(const std::filesystem::path& pattern);

}  // namespace yoloq::dataset::detail
