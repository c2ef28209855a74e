// SPDX-License-Identifier: Apache-2.0
#include "coco/match.h"

#include <tbb/parallel_for.h>

#include <algorithm>
#include <utility>

#include "coco/detail/group.h"
#include "coco/detail/match_class.h"

namespace yoloq::coco {

Matches match(const Annotations& annotations, std::span<const Detection> detections,
              const Options& options) {
  const detail::Scope scope = detail::scope_of(annotations, options);
  auto boxes = detail::group_boxes(annotations.boxes, scope);
  auto entries = detail::group_detections(detections, scope);

  Matches matches;
  matches.image_ids = scope.images.ids();
  matches.unknown_category = entries.unknown_category;
  matches.classes.resize(scope.categories.size());
  for (const Category& category : annotations.categories) {
    matches.classes[scope.categories.find(category.id)].category = category;
  }
  tbb::parallel_for(std::size_t{0}, matches.classes.size(), [&](std::size_t k) {
    detail::match_class(entries.of(k), boxes.of(k), detections, matches.classes[k]);
  });
  return matches;
}

}  // namespace yoloq::coco
