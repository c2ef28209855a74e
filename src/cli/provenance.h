// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace yoloq::cli {

/// Where a result comes from: version, command line, date and machine.
///
///     {"tool": "yoloq 0.1.0", "command": "yoloq eval ...", "date": "2026-01-31T12:00:00Z",
///      "machine": {"cpu": "...", "threads": 2}}
nlohmann::ordered_json provenance();

/// The text of a JSON file. Bytes of names that are no UTF-8 become U+FFFD.
std::string text_of(const nlohmann::ordered_json& json);

}  // namespace yoloq::cli
