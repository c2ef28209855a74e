// SPDX-License-Identifier: Apache-2.0
// Any bytes as an annotation file: read or refused with one error; what was read can be evaluated.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "coco/evaluate.h"
#include "core/error.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace yoloq::coco;
  try {
    const Annotations annotations = parse_annotations({reinterpret_cast<const char*>(data), size});
    std::vector<Detection> detections;
    for (const Box& box : annotations.boxes) {
      detections.push_back({box.image_id, box.category_id, box.bbox, box.area});
    }
    const Metrics metrics = evaluate(annotations, detections);
    for (const double figure : metrics.figures) {
      if (!(figure == -1 || (figure >= 0 && figure <= 1))) __builtin_trap();
    }
  } catch (const yoloq::Error&) {
  }
  return 0;
}
