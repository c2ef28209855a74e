// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace yoloq::model::detail {

/// `names`, or "0", "1", ... if there are none.
///
/// @throws Error(bad_argument) if the count is out of range or not that of the names.
std::vector<std::string> class_names(int class_count, const std::vector<std::string>& names);

}  // namespace yoloq::model::detail
