// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include "model/description.h"

namespace yoloq::model::detail {

/// The activation that a text of Python makes: "nn.SiLU()", "nn.LeakyReLU(0.1)",
/// "torch.nn.ReLU(inplace=True)"; none if it is not known.
std::optional<Activation> activation_in(std::string_view text);

/// The names that activation_in() knows, for messages.
inline constexpr std::string_view kKnownActivations =
    "nn.SiLU(), nn.Hardswish(), nn.LeakyReLU(slope), nn.ReLU(), nn.Identity()";

}  // namespace yoloq::model::detail
