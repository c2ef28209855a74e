// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

#include "coco/detail/byte_source.h"

namespace yoloq::coco::detail {

/// Where a long JSON list of objects may be cut into blocks of about `block_size` bytes: places of
/// commas that stand between a closing and an opening brace.
///
/// These are guesses, as such a comma may also stand inside a string or deeper in an object. They
/// are proven by reading: a block that was cut elsewhere has an open string or an open brace and
/// is refused by the JSON reader. Whoever cuts must then read the whole in one piece.
///
/// @returns ascending places; empty where the list is short or no such comma was near.
std::vector<std::size_t> guess_cuts(const ByteSource& source, std::size_t block_size);

}  // namespace yoloq::coco::detail
