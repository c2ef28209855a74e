// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

namespace yoloq::dataset::detail {

/// The text of a built-in hyp file; none if there is none of that name.
std::optional<std::string_view> builtin_hyperparameters_text(std::string_view name);

}  // namespace yoloq::dataset::detail
