// SPDX-License-Identifier: Apache-2.0
#include "coco/detail/json.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace yoloq::coco::detail {

namespace {

constexpr std::size_t kShownBytes = 24;

/// The value's first token as it stands in the file. Its end is looked for here: of the last token
/// of a broken text simdjson does not know it. Every text that is parsed is followed by a bracket
/// or a zero.
std::string_view token_of(ondemand::value& value) {
  const char* begin = value.raw_json_token().data();
  const char* end = begin;
  const bool is_string = *begin == '"';
  const char* const stops = is_string ? "\"" : " \t\r\n,:[]{}\"";
  if (std::strchr(stops, *begin) != nullptr) ++end;
  if (is_string || end == begin) {
    while (std::strchr(stops, *end) == nullptr) end += *end == '\\' && end[1] != 0 ? 2 : 1;
  }
  if (is_string && *end == '"') ++end;
  return {begin, end};
}

/// The value as it stands in the file, cut where it is long.
std::string shown(ondemand::value& value) {
  const std::string_view token = token_of(value);
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

constexpr int kMostDepth = 256;

void require_valid(ondemand::value value, int depth);

/// What an iterator of simdjson points at, or its error.
template <typename T, typename Result>
T taken(Result&& result) {
  T value;
  if (const auto error = std::forward<Result>(result).get(value)) fail_json(error);
  return value;
}

void require_valid_list(ondemand::array list, int depth) {
  for (auto entry : list) require_valid(taken<ondemand::value>(std::move(entry)), depth);
}

void require_valid_object(ondemand::object object, int depth) {
  for (auto entry : object) {
    auto field = taken<ondemand::field>(std::move(entry));
    unescaped_key(field);
    require_valid(field.value(), depth);
  }
}

/// What no JSON parser has to take, but Python writes and its readers of these files accept.
bool is_constant_of_python(ondemand::value& value) {
  const std::string_view token = token_of(value);
  return token == "NaN" || token == "Infinity" || token == "-Infinity";
}

/// Takes the digits at the front of `text`, and says whether there are any.
bool take_digits(std::string_view& text) {
  const std::size_t count = std::min(text.find_first_not_of("0123456789"), text.size());
  text.remove_prefix(count);
  return count > 0;
}

/// Takes the first character of `text` if it is one of `characters`.
bool take_one(std::string_view& text, std::string_view characters) {
  if (text.empty() || characters.find(text.front()) == characters.npos) return false;
  text.remove_prefix(1);
  return true;
}

/// The number grammar of RFC 8259, section 6, whatever the value.
bool is_number(std::string_view text) {
  take_one(text, "-");
  if (!take_one(text, "0") && !take_digits(text)) return false;
  if (take_one(text, ".") && !take_digits(text)) return false;
  if (take_one(text, "eE")) {
    take_one(text, "+-");
    if (!take_digits(text)) return false;
  }
  return text.empty();
}

/// A number of JSON, though it be too large for a double.
void require_valid_number(ondemand::value value) {
  const auto error = value.get_double().error();
  if (!error || is_number(token_of(value)) || is_constant_of_python(value)) return;
  fail_json(error);
}

void require_valid(ondemand::value value, int depth) {
  if (depth == 0) {
    fail(ErrorCode::corrupt_file, "nested deeper than {} lists and objects", kMostDepth);
  }
  auto type = ondemand::json_type::null;
  if (const auto error = value.type().get(type)) {
    if (is_constant_of_python(value)) return;
    fail_json(error);
  }
  switch (type) {
    case ondemand::json_type::array:
      return require_valid_list(taken<ondemand::array>(value.get_array()), depth - 1);
    case ondemand::json_type::object:
      return require_valid_object(taken<ondemand::object>(value.get_object()), depth - 1);
    case ondemand::json_type::number:
      return require_valid_number(value);
    case ondemand::json_type::string:
      taken<std::string_view>(value.get_string());
      return;
    case ondemand::json_type::boolean:
      taken<bool>(value.get_bool());
      return;
    default:
      if (!taken<bool>(value.is_null())) fail_json(simdjson::N_ATOM_ERROR);
  }
}

}  // namespace

void require_valid(ondemand::value value) { require_valid(value, kMostDepth); }

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
