// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace yoloq::train::detail {

/// Castagnoli's checksum of 32 bits.
///
/// Source: RFC 3720, appendix B.4, which has the values that the test compares with.
std::uint32_t crc32c(std::string_view bytes);

}  // namespace yoloq::train::detail
