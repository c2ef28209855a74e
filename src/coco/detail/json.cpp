// SPDX-License-Identifier: Apache-2.0
#include "coco/detail/json.h"

#include <cmath>
#include <utility>

namespace yoloq::coco::detail {

namespace {

constexpr std::size_t kShownBytes = 24;

/// The value as it stands in the file, cut where it is long.
std::string shown(ondemand::value& value) {
  std::string_view token = value.raw_json_token();
  while (!token.empty() && std::strchr(" \t\r\n", token.back()) != nullptr) token.remove_suffix(1);
  if (token.size() <= kShownBytes) return std::string(token);
  return std::string(token.substr(0, kShownBytes)) + "...";
}

/// Whether the text itself is broken, as opposed to a value of another type than expected.
bool is_syntax(simdjson::error_code code) {
  return code == simdjson::TAPE_ERROR || code == simdjson::STRING_ERROR ||
         code == simdjson::INCOMPLETE_ARRAY_OR_OBJECT || code == simdjson::OUT_OF_BOUNDS;
}

[[noreturn]] void fail_value(ondemand::value& value, const Place& place, std::string_view field,
                             std::string_view expected) {
  fail(ErrorCode::corrupt_file, "{}.{}: expected {}, found {}", to_string(place), field, expected,
       shown(value));
}

/// A finite double, or false.
bool read_number(ondemand::value& value, double& number) {
  const auto error = value.get_double().get(number);
  if (error && is_syntax(error)) fail_json(error);
  return !error && std::isfinite(number);
}

}  // namespace

std::string to_string(const Place& place) { return fmt::format("{}[{}]", place.list, place.index); }

void fail_json(simdjson::error_code code) {
  fail(ErrorCode::corrupt_file, "not valid JSON: {}", simdjson::error_message(code));
}

void fail_missing(const Place& place, std::string_view field) {
  fail(ErrorCode::corrupt_file, "{}: the field '{}' is missing", to_string(place), field);
}

std::int64_t to_integer(ondemand::value value, const Place& place, std::string_view field) {
  std::int64_t integer = 0;
  const auto error = value.get_int64().get(integer);
  if (!error) return integer;
  if (is_syntax(error)) fail_json(error);

  constexpr double kExact = 9007199254740992.0;  // 2^53
  double number = 0.0;
  const bool whole = read_number(value, number) && std::trunc(number) == number;
  if (!whole || std::abs(number) > kExact) fail_value(value, place, field, "an integer");
  return static_cast<std::int64_t>(number);
}

double to_number(ondemand::value value, const Place& place, std::string_view field) {
  double number = 0.0;
  if (!read_number(value, number)) fail_value(value, place, field, "a finite number");
  return number;
}

bool to_flag(ondemand::value value, const Place& place, std::string_view field) {
  bool flag = false;
  const auto error = value.get_bool().get(flag);
  if (!error) return flag;
  if (is_syntax(error)) fail_json(error);
  double number = 0.0;
  if (!read_number(value, number)) fail_value(value, place, field, "0, 1, true or false");
  return number != 0.0;
}

std::string to_text(ondemand::value value, const Place& place, std::string_view field) {
  std::string_view text;
  const auto error = value.get_string().get(text);
  if (!error) return std::string(text);
  if (is_syntax(error)) fail_json(error);
  fail_value(value, place, field, "a string");
}

std::array<double, 4> to_box(ondemand::value value, const Place& place, std::string_view field) {
  ondemand::array list;
  if (const auto error = value.get_array().get(list)) {
    if (is_syntax(error)) fail_json(error);
    fail_value(value, place, field, "a list of 4 numbers");
  }
  std::array<double, 4> box{};
  std::size_t count = 0;
  for (auto entry : list) {
    ondemand::value number;
    if (const auto error = std::move(entry).get(number)) fail_json(error);
    if (count < box.size()) box[count] = to_number(number, place, field);
    ++count;
  }
  if (count == box.size()) return box;
  fail(ErrorCode::corrupt_file, "{}.{}: expected 4 numbers, found {}", to_string(place), field,
       count);
}

}  // namespace yoloq::coco::detail
