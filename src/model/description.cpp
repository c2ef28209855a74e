// SPDX-License-Identifier: Apache-2.0
#include "model/description.h"

namespace yoloq::model {

// Here, where Module is complete; by hand, as clang 14 crashes on a default behind the class.
bool operator==(const Sequential& a, const Sequential& b) { return a.modules == b.modules; }

}  // namespace yoloq::model
