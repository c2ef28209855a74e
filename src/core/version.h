// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace yoloq {

/// The version of this source tree; the one in CMakeLists.txt.
inline constexpr const char* kVersion = YOLOQ_VERSION;

}  // namespace yoloq
