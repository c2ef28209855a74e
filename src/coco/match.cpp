// SPDX-License-Identifier: Apache-2.0
#include "coco/match.h"

#include <tbb/parallel_for.h>

#include <algorithm>
#include <utility>

#include "coco/detail/group.h"
#include "coco/detail/id_index.h"
#include "coco/detail/match_class.h"
#include "core/error.h"

namespace yoloq::coco {

namespace {

using detail::IdIndex;

template <typename T>
std::vector<std::int64_t> ids_of(const std::vector<T>& values) {
  std::vector<std::int64_t> ids;
  ids.reserve(values.size());
  for (const T& value : values) ids.push_back(value.id);
  return ids;
}

detail::Scope scope_of(const Annotations& annotations, const Options& options) {
  IdIndex known(ids_of(annotations.images));
  for (const std::int64_t id : options.image_ids) {
    if (known.find(id) != IdIndex::kNone) continue;
    fail(ErrorCode::bad_argument, "image {} was asked for, but the annotations do not list it", id);
  }
  IdIndex images(options.image_ids.empty() ? known.ids() : options.image_ids);
  return {std::move(known), std::move(images), IdIndex(ids_of(annotations.categories))};
}

}  // namespace

Matches match(const Annotations& annotations, std::span<const Detection> detections,
              const Options& options) {
  const detail::Scope scope = scope_of(annotations, options);
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
