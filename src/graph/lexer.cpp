// SPDX-License-Identifier: Apache-2.0
#include "graph/detail/lexer.h"

#include "core/error.h"

namespace yoloq::graph::detail {

namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

bool ends_word(char c) {
  return is_blank(c) || c == '\n' || c == '"' || c == '#' || kMarks.find(c) != kMarks.npos;
}

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  std::vector<Token> run() {
    while (at_ < text_.size()) step();
    end_line();
    return std::move(tokens_);
  }

 private:
  void step() {
    const char c = text_[at_];
    if (c == '\n') {
      if (depth_ == 0) end_line();
      ++line_;
      ++at_;
    } else if (is_blank(c)) {
      ++at_;
    } else if (c == '#') {
      at_ = std::min(text_.find('\n', at_), text_.size());
    } else if (c == '"') {
      quoted();
    } else if (ends_word(c)) {
      mark(c);
    } else {
      word();
    }
  }

  void add(TokenKind kind, std::string text) { tokens_.push_back({kind, std::move(text), line_}); }

  void end_line() {
    if (!tokens_.empty() && tokens_.back().kind != TokenKind::line_end) {
      add(TokenKind::line_end, "the end of the line");
    }
  }

  void quoted() {
    std::string text;
    for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
      text += text_[at_];
    }
    if (at_ == text_.size()) {
      fail(ErrorCode::bad_argument, "graph text, line {}: a quote is not closed", line_);
    }
    ++at_;
    add(TokenKind::quoted, std::move(text));
  }

  void mark(char c) {
    if (c == '(' || c == '[' || c == '{') ++depth_;
    if (c == ')' || c == ']' || c == '}') --depth_;
    add(TokenKind::mark, std::string(1, c));
    ++at_;
  }

  void word() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && !ends_word(text_[at_])) ++at_;
    add(TokenKind::word, std::string(text_.substr(begin, at_ - begin)));
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
  int depth_ = 0;
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> tokenize(std::string_view text) { return Lexer(text).run(); }

std::string quoted_if_needed(std::string_view name) {
  bool plain = !name.empty() && name != "input" && name != "return";
  for (const char c : name) plain = plain && !ends_word(c);
  if (plain) return std::string(name);

  std::string result = "\"";
  for (const char c : name) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + "\"";
}

}  // namespace yoloq::graph::detail
