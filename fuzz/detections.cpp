// SPDX-License-Identifier: Apache-2.0
// Any bytes as a results file: read or refused with one error, the same in one piece as in blocks;
// what was read is written and read back the same, and can be evaluated.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "coco/detail/byte_source.h"
#include "coco/detail/read_blocks.h"
#include "coco/evaluate.h"
#include "core/error.h"

namespace {

using namespace yoloq::coco;

struct Outcome {
  std::vector<Detection> detections;
  std::string error;

  friend bool operator==(const Outcome&, const Outcome&) = default;
};

Outcome read(std::string_view json, std::size_t block_size) {
  try {
    return {detail::read_blocks(detail::ByteSource(json), block_size), ""};
  } catch (const yoloq::Error& error) {
    return {{}, error.what()};
  }
}

/// Every detection stands for a box as well, except each third.
Annotations annotations_of(const std::vector<Detection>& detections) {
  Annotations annotations;
  for (const Detection& detection : detections) {
    annotations.images.push_back({.id = detection.image_id, .file_name = {}});
    const auto id = static_cast<std::int64_t>(annotations.images.size());
    if (id % 3 == 0) continue;
    annotations.categories.push_back({detection.category_id, {}});
    annotations.boxes.push_back({.id = id,
                                 .image_id = detection.image_id,
                                 .category_id = detection.category_id,
                                 .bbox = detection.bbox,
                                 .area = detection.bbox[2] * detection.bbox[3],
                                 .is_crowd = id % 5 == 0});
  }
  return annotations;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view json(reinterpret_cast<const char*>(data), size);
  const Outcome whole = read(json, size + 1);
  if (read(json, 16) != whole) __builtin_trap();
  if (!whole.error.empty()) return 0;

  if (parse_detections(to_json(whole.detections)) != whole.detections) __builtin_trap();
  const Metrics metrics = evaluate(annotations_of(whole.detections), whole.detections);
  for (const double figure : metrics.figures) {
    if (!(figure == -1 || (figure >= 0 && figure <= 1))) __builtin_trap();
  }
  return 0;
}
