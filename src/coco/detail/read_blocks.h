// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

#include "coco/detail/byte_source.h"
#include "coco/detections.h"

namespace yoloq::coco::detail {

/// Bytes of a results file that one thread reads at a time: small enough for its caches.
inline constexpr std::size_t kBlockSize = std::size_t{1} << 19;

/// The detections of a results file, read in blocks of about `block_size` bytes on all threads. The
/// result and the errors are those of reading it in one piece, whatever the size.
std::vector<Detection> read_blocks(const ByteSource& source, std::size_t block_size = kBlockSize);

}  // namespace yoloq::coco::detail
