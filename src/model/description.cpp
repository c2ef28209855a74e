// SPDX-License-Identifier: Apache-2.0
#include "model/description.h"

namespace yoloq::model {

// Here, where Module is complete.
bool operator==(const Sequential&, const Sequential&) = default;

}  // namespace yoloq::model
