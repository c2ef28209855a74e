// SPDX-License-Identifier: Apache-2.0
#include "coco/detections.h"

#include "coco/detail/byte_source.h"
#include "coco/detail/read_blocks.h"
#include "core/error.h"

namespace yoloq::coco {

std::vector<Detection> parse_detections(std::string_view json) {
  return detail::read_blocks(detail::ByteSource(json));
}

std::vector<Detection> read_detections(const std::filesystem::path& path) {
  try {
    return detail::read_blocks(detail::ByteSource(path));
  } catch (const Error& error) {
    throw error.within("while reading " + path.string());
  }
}

}  // namespace yoloq::coco
