// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace yoloq::graph::detail {

enum class TokenKind { word, quoted, mark, line_end };

struct Token {
  TokenKind kind = TokenKind::line_end;
  std::string text;  ///< Without the quotes.
  std::size_t line = 1;
};

/// Characters that end a word in a graph's text.
inline constexpr std::string_view kMarks = ",()=[]{}@";

/// The tokens of a graph's text. A line ends only outside brackets; the last token is a line_end.
///
/// @throws Error(bad_argument) on an open quote.
std::vector<Token> tokenize(std::string_view text);

/// `name` as it stands in a text: quoted where it would not be one word.
std::string quoted_if_needed(std::string_view name);

}  // namespace yoloq::graph::detail
