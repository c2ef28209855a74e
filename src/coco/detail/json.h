// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <simdjson.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "core/error.h"

namespace yoloq::coco::detail {

namespace ondemand = simdjson::ondemand;

/// Where a record stands, for messages: "annotations[12]", or "[12]" in a file that is one list.
struct Place {
  std::string_view list;
  std::size_t index = 0;
};

std::string to_string(const Place& place);

/// @throws Error(corrupt_file) saying that the text is not JSON and, where known, near which byte.
[[noreturn]] void fail_json(simdjson::error_code code);

/// @throws Error(corrupt_file): "annotations[12]: the field 'bbox' is missing".
[[noreturn]] void fail_missing(const Place& place, std::string_view field);

/// @throws Error(corrupt_file) unless the whole text was read.
inline void require_end(ondemand::document& document) {
  if (document.current_location().error() == simdjson::OUT_OF_BOUNDS) return;
  throw Error(ErrorCode::corrupt_file, "not valid JSON: there is more behind the outermost value");
}

/// The value as 64-bit integer; 7.0 is one as well.
std::int64_t to_integer(ondemand::value value, const Place& place, std::string_view field);

/// The value as a finite double.
double to_number(ondemand::value value, const Place& place, std::string_view field);

/// true, false, or a number that is not zero.
bool to_flag(ondemand::value value, const Place& place, std::string_view field);

std::string to_text(ondemand::value value, const Place& place, std::string_view field);

/// Reads a value that nobody asked for to its end: a reader that steps over it takes broken text.
///
/// @throws Error(corrupt_file) if it is not JSON, or nested deeper than 256 lists and objects.
void require_valid(ondemand::value value);

/// Four finite numbers.
std::array<double, 4> to_box(ondemand::value value, const Place& place, std::string_view field);

/// Whether the key is `name`, which needs no escapes.
inline bool is_key(ondemand::raw_json_string key, std::string_view name) {
  const char* raw = key.raw();
  return std::memcmp(raw, name.data(), name.size()) == 0 && raw[name.size()] == '"';
}

/// A field's key with its escapes resolved; later versions of simdjson want an argument.
template <typename Field>
std::string_view unescaped_key(Field& field) {
  std::string_view key;
  if constexpr (requires { field.unescaped_key(false); }) {
    if (const auto error = field.unescaped_key(false).get(key)) fail_json(error);
  } else {
    if (const auto error = field.unescaped_key().get(key)) fail_json(error);
  }
  return key;
}

/// The index in `names` of a field's key, or N. Looks first at `expected`, where writers that keep
/// one order put it.
template <std::size_t N>
std::size_t find_key(ondemand::field& field, const std::array<std::string_view, N>& names,
                     std::size_t expected) {
  const ondemand::raw_json_string key = field.key();
  if (expected < N && is_key(key, names[expected])) return expected;
  for (std::size_t i = 0; i < N; ++i) {
    if (is_key(key, names[i])) return i;
  }
  if (std::strcspn(key.raw(), "\\\"") == std::strcspn(key.raw(), "\"")) return N;

  const std::string_view unescaped = unescaped_key(field);
  for (std::size_t i = 0; i < N; ++i) {
    if (unescaped == names[i]) return i;
  }
  return N;
}

/// Calls `read(which, value)` for each field of `object` that `names` lists, in the file's order.
///
/// @throws Error(corrupt_file) if one of the first `required` names is not among them.
template <std::size_t N, typename Read>
void read_record(ondemand::object object, const std::array<std::string_view, N>& names,
                 std::size_t required, const Place& place, Read read) {
  std::uint32_t seen = 0;
  std::size_t expected = 0;
  for (auto entry : object) {
    ondemand::field field;
    if (const auto error = std::move(entry).get(field)) fail_json(error);
    const std::size_t which = find_key(field, names, expected);
    if (which == N) {
      require_valid(field.value());
      continue;
    }
    read(which, field.value());
    seen |= 1u << which;
    expected = which + 1;
  }
  for (std::size_t i = 0; i < required; ++i) {
    if ((seen >> i & 1u) == 0) fail_missing(place, names[i]);
  }
}

/// Calls `read(object, place)` for each element of a list of objects.
template <typename Read>
void read_list(ondemand::array list, std::string_view name, Read read) {
  Place place{name, 0};
  for (auto entry : list) {
    ondemand::value value;
    if (const auto error = std::move(entry).get(value)) fail_json(error);
    ondemand::object object;
    if (const auto error = value.get_object().get(object)) {
      if (error != simdjson::INCORRECT_TYPE) fail_json(error);
      throw Error(ErrorCode::corrupt_file, to_string(place) + ": expected an object");
    }
    read(object, place);
    ++place.index;
  }
}

}  // namespace yoloq::coco::detail
