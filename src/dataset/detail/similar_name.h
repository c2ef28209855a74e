// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace yoloq::dataset::detail {

/// The name with the fewest letters to change, insert or take out, at most two; none if all are
/// farther away.
std::optional<std::string_view> similar_name(std::string_view name,
                                             std::span<const std::string_view> names);

}  // namespace yoloq::dataset::detail
