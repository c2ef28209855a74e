// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

namespace yoloq::test {

/// What the Error says that `act` throws; "nothing was thrown" if it throws none.
std::string message_when(const std::function<void()>& act);

}  // namespace yoloq::test
