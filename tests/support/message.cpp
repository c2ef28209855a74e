// SPDX-License-Identifier: Apache-2.0
#include "support/message.h"

#include "core/error.h"

namespace yoloq::test {

std::string message_when(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was thrown";
}

}  // namespace yoloq::test
