// SPDX-License-Identifier: Apache-2.0
#include "coco/annotations.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "coco/detail/json.h"
#include "core/error.h"
#include "core/file.h"

namespace yoloq::coco {

namespace {

using detail::Place;
using detail::ondemand::value;
namespace ondemand = simdjson::ondemand;

Image to_image(ondemand::object object, const Place& place) {
  static constexpr std::array<std::string_view, 4> kNames{"id", "file_name", "width", "height"};
  Image image;
  detail::read_record(object, kNames, 1, place, [&](std::size_t which, value field) {
    switch (which) {
      case 0:
        image.id = detail::to_integer(field, place, kNames[0]);
        break;
      case 1:
        image.file_name = detail::to_text(field, place, kNames[1]);
        break;
      case 2:
        image.width = detail::to_integer(field, place, kNames[2]);
        break;
      default:
        image.height = detail::to_integer(field, place, kNames[3]);
    }
  });
  return image;
}

Category to_category(ondemand::object object, const Place& place) {
  static constexpr std::array<std::string_view, 2> kNames{"id", "name"};
  Category category;
  detail::read_record(object, kNames, 2, place, [&](std::size_t which, value field) {
    if (which == 0) category.id = detail::to_integer(field, place, kNames[0]);
    if (which == 1) category.name = detail::to_text(field, place, kNames[1]);
  });
  return category;
}

Box to_box(ondemand::object object, const Place& place) {
  static constexpr std::array<std::string_view, 7> kNames{"id",   "image_id", "category_id", "bbox",
                                                          "area", "iscrowd",  "ignore"};
  Box box;
  detail::read_record(object, kNames, 5, place, [&](std::size_t which, value field) {
    switch (which) {
      case 0:
        box.id = detail::to_integer(field, place, kNames[0]);
        break;
      case 1:
        box.image_id = detail::to_integer(field, place, kNames[1]);
        break;
      case 2:
        box.category_id = detail::to_integer(field, place, kNames[2]);
        break;
      case 3:
        box.bbox = detail::to_box(field, place, kNames[3]);
        break;
      case 4:
        box.area = detail::to_number(field, place, kNames[4]);
        break;
      case 5:
        box.is_crowd = detail::to_flag(field, place, kNames[5]);
        break;
      default:
        box.ignore = detail::to_flag(field, place, kNames[6]);
    }
  });
  return box;
}

template <typename T, typename Convert>
std::vector<T> to_list(value list, std::string_view name, Convert convert) {
  ondemand::array array;
  if (const auto error = list.get_array().get(array)) {
    if (error != simdjson::INCORRECT_TYPE) detail::fail_json(error);
    fail(ErrorCode::corrupt_file, "{}: expected a list", name);
  }
  std::vector<T> result;
  detail::read_list(array, name, [&](ondemand::object object, const Place& place) {
    result.push_back(convert(object, place));
  });
  return result;
}

/// A box id stands for one box: evaluation, like every reader of these files, finds boxes by it.
void require_unique_ids(const std::vector<Box>& boxes) {
  const auto ascending = [](const Box& a, const Box& b) { return a.id < b.id; };
  if (std::ranges::is_sorted(boxes, ascending) &&
      std::ranges::adjacent_find(boxes, {}, &Box::id) == boxes.end()) {
    return;
  }
  std::vector<std::pair<std::int64_t, std::size_t>> ids;
  ids.reserve(boxes.size());
  for (std::size_t i = 0; i < boxes.size(); ++i) ids.emplace_back(boxes[i].id, i);
  std::ranges::sort(ids);
  const auto twice = std::ranges::adjacent_find(ids, {}, [](const auto& id) { return id.first; });
  if (twice == ids.end()) return;
  fail(ErrorCode::corrupt_file,
       "annotations[{}] and annotations[{}] have the same id {}; ids must be unique", twice->second,
       std::next(twice)->second, twice->first);
}

Annotations convert(ondemand::document& document) {
  static constexpr std::array<std::string_view, 3> kNames{"images", "annotations", "categories"};
  ondemand::object root;
  if (const auto error = document.get_object().get(root)) {
    if (error != simdjson::INCORRECT_TYPE) detail::fail_json(error);
    fail(ErrorCode::corrupt_file,
         "expected an object with images, annotations and categories, found something else");
  }
  Annotations result;
  std::uint32_t seen = 0;
  for (auto entry : root) {
    ondemand::field field;
    if (const auto error = std::move(entry).get(field)) detail::fail_json(error);
    const std::size_t which = detail::find_key(field, kNames, 0);
    if (which == kNames.size()) {
      detail::require_valid(field.value());
      continue;
    }
    const std::string_view name = kNames[which];
    if (which == 0) result.images = to_list<Image>(field.value(), name, to_image);
    if (which == 1) result.boxes = to_list<Box>(field.value(), name, to_box);
    if (which == 2) result.categories = to_list<Category>(field.value(), name, to_category);
    seen |= 1u << which;
  }
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if ((seen >> i & 1u) == 0) {
      fail(ErrorCode::corrupt_file, "the field '{}' is missing", kNames[i]);
    }
  }
  detail::require_end(document);
  require_unique_ids(result.boxes);
  return result;
}

/// `padded` holds SIMDJSON_PADDING more bytes than `size`.
Annotations parse_padded(const std::string& padded, std::size_t size) {
  ondemand::parser parser;
  ondemand::document document;
  const simdjson::padded_string_view view(padded.data(), size, padded.size());
  if (const auto error = parser.iterate(view).get(document)) detail::fail_json(error);
  return convert(document);
}

}  // namespace

Annotations parse_annotations(std::string_view json) {
  std::string padded(json);
  padded.resize(json.size() + simdjson::SIMDJSON_PADDING);
  return parse_padded(padded, json.size());
}

Annotations read_annotations(const std::filesystem::path& path) {
  std::string content = read_file(path);
  const std::size_t size = content.size();
  content.resize(size + simdjson::SIMDJSON_PADDING);
  try {
    return parse_padded(content, size);
  } catch (const Error& error) {
    throw error.within("while reading " + path.string());
  }
}

}  // namespace yoloq::coco
