// SPDX-License-Identifier: Apache-2.0
#include "model/detail/literal.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <utility>

#include "core/error.h"

namespace yoloq::model::detail {

namespace {

constexpr int kMaxDepth = 16;

/// Appends a Unicode code point as UTF-8.
void append_utf8(std::string& out, std::uint32_t code) {
  const auto put = [&](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (code < 0x80) return put(code);
  if (code < 0x800) {
    put(0xC0 | (code >> 6));
  } else if (code < 0x10000) {
    put(0xE0 | (code >> 12));
    put(0x80 | ((code >> 6) & 0x3F));
  } else {
    put(0xF0 | (code >> 18));
    put(0x80 | ((code >> 12) & 0x3F));
    put(0x80 | ((code >> 6) & 0x3F));
  }
  put(0x80 | (code & 0x3F));
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Literal parse_all() {
    Literal result = value(0);
    skip_space();
    if (at_ != text_.size()) refuse("the end");
    return result;
  }

 private:
  [[noreturn]] void refuse(std::string_view expected) const {
    fail(ErrorCode::corrupt_file, "expected {} at offset {} of \"{}\"", expected, at_,
         text_.substr(0, 80));
  }

  void skip_space() {
    const auto next = text_.find_first_not_of(" \t\r\n", at_);
    at_ = std::min(next, text_.size());
  }

  bool take(char c) {
    skip_space();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  bool take_word(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }

  Literal value(int depth) {
    if (depth > kMaxDepth) refuse("less nesting");
    skip_space();
    if (take('{')) return {dict(depth)};
    if (take('[')) return {list(depth, ']')};
    if (take('(')) return {list(depth, ')')};
    if (take_word("None") || take_word("null")) return {};
    if (take_word("True") || take_word("true")) return {1.0};
    if (take_word("False") || take_word("false")) return {0.0};
    for (const char quote : {'\'', '"'}) {
      if (take(quote)) return {string(quote)};
      if (take_word(quote == '"' ? "u\"" : "u'")) return {string(quote)};
    }
    return {number()};
  }

  Literal::List list(int depth, char end) {
    Literal::List result;
    while (!take(end)) {
      if (!result.empty() && !take(',')) refuse("',' or the end of a list");
      if (take(end)) break;  // A comma may stand behind the last element.
      result.push_back(value(depth + 1));
    }
    return result;
  }

  Literal::Dict dict(int depth) {
    Literal::Dict result;
    while (!take('}')) {
      if (!result.empty() && !take(',')) refuse("',' or '}'");
      if (take('}')) break;
      Literal key = value(depth + 1);
      if (!take(':')) refuse("':'");
      result.push_back({std::move(key), value(depth + 1)});
    }
    return result;
  }

  double number() {
    double result = 0;
    const char* begin = text_.data() + at_;
    const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), result);
    if (error != std::errc{} || !std::isfinite(result)) {
      refuse("a number, string, list or dict");
    }
    at_ += static_cast<std::size_t>(end - begin);
    return result;
  }

  std::string string(char quote) {
    std::string result;
    while (true) {
      if (at_ >= text_.size()) refuse("the closing quote");
      const char c = text_[at_++];
      if (c == quote) return result;
      if (c == '\\') {
        escape(result);
      } else {
        result.push_back(c);
      }
    }
  }

  void escape(std::string& out) {
    if (at_ >= text_.size()) refuse("the rest of an escape");
    const char c = text_[at_++];
    constexpr std::string_view kLetters = "nrtbfav0";
    constexpr std::string_view kMeanings("\n\r\t\b\f\a\v\0", 8);
    if (c == 'x') return append_utf8(out, hex(2));
    if (c == 'U') return append_utf8(out, std::min(hex(8), std::uint32_t{0x10FFFF}));
    if (c == 'u') return append_utf8(out, surrogate_pair(hex(4)));
    const auto letter = kLetters.find(c);
    out.push_back(letter == std::string_view::npos ? c : kMeanings[letter]);
  }

  /// JSON writes a code point beyond 16 bits as two escapes.
  std::uint32_t surrogate_pair(std::uint32_t high) {
    if (high < 0xD800 || high >= 0xDC00 || !take_word("\\u")) return high;
    const std::uint32_t low = hex(4);
    return 0x10000 + ((high - 0xD800) << 10) + ((low - 0xDC00) & 0x3FF);
  }

  std::uint32_t hex(std::size_t digits) {
    const std::string_view code = text_.substr(at_, digits);
    std::uint32_t result = 0;
    const auto [end, error] = std::from_chars(code.data(), code.data() + code.size(), result, 16);
    if (error != std::errc{} || end != code.data() + digits) refuse("hexadecimal digits");
    at_ += digits;
    return result;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

Literal parse_literal(std::string_view text) { return Parser(text).parse_all(); }

std::string quoted(std::string_view text) {
  const bool only_single = text.find('\'') != text.npos && text.find('"') == text.npos;
  const char quote = only_single ? '"' : '\'';
  std::string result(1, quote);
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == quote || c == '\\') {
      result += {'\\', c};
    } else if (c == '\n' || c == '\r' || c == '\t') {
      result += {'\\', c == '\n' ? 'n' : c == '\r' ? 'r' : 't'};
    } else if (byte < 0x20 || byte == 0x7F) {
      result += fmt::format("\\x{:02x}", byte);
    } else {
      result.push_back(c);
    }
  }
  return result + quote;
}

}  // namespace yoloq::model::detail
