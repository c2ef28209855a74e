// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace yoloq::test {

enum class ZipMethod { stored, deflated };

/// A zip archive of the given names and contents, in memory.
///
/// @throws Error(io) with libzip's words.
std::string zip_archive(const std::vector<std::pair<std::string, std::string>>& entries,
                        ZipMethod method = ZipMethod::stored);

}  // namespace yoloq::test
