// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <utility>

#include "core/error.h"

namespace yoloq::report::detail {

using Json = nlohmann::ordered_json;

/// The field `key` as T.
///
/// @throws Error(corrupt_file) naming it if it is missing or of the wrong type.
template <typename T>
T field(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end()) fail(ErrorCode::corrupt_file, "it has no field '{}'", key);
  try {
    return found->template get<T>();
  } catch (const Json::exception&) {
    fail(ErrorCode::corrupt_file, "its field '{}' is of the wrong type", key);
  }
}

/// As field(), but `otherwise` if it is missing: files of earlier versions have fewer.
template <typename T>
T field_or(const Json& object, const char* key, T otherwise) {
  return object.contains(key) ? field<T>(object, key) : std::move(otherwise);
}

/// The object `key`.
///
/// @throws Error(corrupt_file) if it is missing or no object.
inline Json object(const Json& parent, const char* key) {
  Json child = field<Json>(parent, key);
  if (!child.is_object()) fail(ErrorCode::corrupt_file, "its field '{}' is no object", key);
  return child;
}

/// The list `key`; empty if it is missing.
///
/// @throws Error(corrupt_file) if it is no list of objects.
inline Json objects(const Json& object, const char* key) {
  const Json list = field_or<Json>(object, key, Json::array());
  for (const Json& row : list) {
    if (!list.is_array() || !row.is_object()) {
      fail(ErrorCode::corrupt_file, "its field '{}' is no list of objects", key);
    }
  }
  return list;
}

}  // namespace yoloq::report::detail
