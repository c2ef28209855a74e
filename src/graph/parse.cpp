// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <charconv>
#include <set>
#include <span>
#include <utility>

#include "core/error.h"
#include "core/half.h"
#include "graph/detail/lexer.h"
#include "graph/text.h"

namespace yoloq::graph {

namespace {

using detail::Token;
using detail::TokenKind;

/// Attributes that ONNX declares as float: `epsilon=1` means 1.0.
constexpr std::string_view kRealAttributes[] = {"alpha", "beta",     "epsilon",     "gamma",
                                                "ratio", "momentum", "value_float", "cubic_coeff_a",
                                                "max",   "min"};

template <typename T>
bool read_number(const std::string& word, T& value) {
  const auto end = word.data() + word.size();
  const auto result = std::from_chars(word.data(), end, value);
  return result.ec == std::errc() && result.ptr == end;
}

DType dtype_called(std::string_view name) {
  constexpr DType kTypes[] = {DType::f32, DType::u8,      DType::i8,  DType::u16, DType::i16,
                              DType::i32, DType::i64,     DType::f16, DType::f64, DType::u32,
                              DType::u64, DType::boolean, DType::bf16};
  const auto found = std::ranges::find(kTypes, name, name_of);
  return found == std::end(kTypes) ? DType::undefined : *found;
}

/// The bytes of `words` as elements of type T; an empty result if one is none.
template <typename T>
std::vector<T> elements_of(std::span<const std::string> words) {
  std::vector<T> result(words.size());
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (!read_number(words[i], result[i])) return {};
  }
  return result;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : tokens_(detail::tokenize(text)) {}

  Graph run() {
    while (at_ < tokens_.size()) line();
    declare_inputs();
    return std::move(graph_);
  }

 private:
  const Token& peek(std::size_t ahead = 0) const {
    return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
  }
  bool is_mark(char c, std::size_t ahead = 0) const {
    return peek(ahead).kind == TokenKind::mark && peek(ahead).text[0] == c;
  }
  bool is_name() const {
    return peek().kind == TokenKind::word || peek().kind == TokenKind::quoted;
  }
  bool accept(char c) {
    if (!is_mark(c)) return false;
    ++at_;
    return true;
  }
  [[noreturn]] void refuse(std::string_view expected) const {
    fail(ErrorCode::bad_argument, "graph text, line {}: expected {}, found '{}'", peek().line,
         expected, peek().text);
  }
  void expect(char c) {
    if (!accept(c)) refuse(std::string("'") + c + "'");
  }
  std::string name(std::string_view expected) {
    if (!is_name()) refuse(expected);
    return tokens_[at_++].text;
  }

  void line() {
    const bool statement = peek().kind == TokenKind::word && !is_mark('=', 1) && !is_mark(',', 1);
    if (statement && peek().text == "input") {
      ports(graph_.inputs);
    } else if (statement && peek().text == "return") {
      ports(graph_.outputs);
    } else {
      definition();
    }
    if (peek().kind != TokenKind::line_end) refuse("the end of the line");
    ++at_;
  }

  void ports(std::vector<Port>& list) {
    ++at_;
    do {
      Port port{.name = name("a name"), .type = {}};
      if (peek().kind == TokenKind::word) port.type = type();
      list.push_back(std::move(port));
    } while (accept(','));
  }

  ValueType type() {
    ValueType result{.dtype = dtype(), .dims = {}};
    if (is_mark('[')) result.dims = dims();
    return result;
  }

  DType dtype() {
    const DType result = dtype_called(peek().text);
    if (result == DType::undefined && peek().text != "undefined") refuse("an element type");
    ++at_;
    return result;
  }

  Dims dims() {
    Dims result;
    for (const std::string& word : words('[', ']')) {
      std::int64_t size = 0;
      if (read_number(word, size)) {
        result.push_back(Dim::fixed(size));
      } else {
        result.push_back(word == "?" ? Dim{} : Dim::named(word));
      }
    }
    return result;
  }

  /// Names between two marks, separated by commas; an absent one is empty.
  std::vector<std::string> words(char open, char close) {
    std::vector<std::string> result;
    expect(open);
    if (accept(close)) return result;
    do {
      result.push_back(is_name() ? tokens_[at_++].text : std::string());
    } while (accept(','));
    expect(close);
    return result;
  }

  void definition() {
    std::vector<std::string> outputs;
    do {
      outputs.push_back(is_mark(',') || is_mark('=') ? std::string() : name("an output's name"));
    } while (accept(','));
    expect('=');
    if (is_mark('[', 1)) {
      graph_.constants[outputs.front()] = tensor();
      return;
    }
    Node node{.op = name("an operator"), .outputs = std::move(outputs)};
    if (const auto split = node.op.find("::"); split != node.op.npos) {
      node.domain = node.op.substr(0, split);
      node.op = node.op.substr(split + 2);
    }
    node.inputs = words('(', ')');
    while (is_name()) attribute(node);
    if (accept('@')) node.name = name("the node's name");
    graph_.append(std::move(node));
  }

  void attribute(Node& node) {
    const std::string key = name("an attribute");
    expect('=');
    const bool real = std::ranges::find(kRealAttributes, key) != std::end(kRealAttributes);
    node.attributes[key] = is_mark('[') ? list(real) : single(real);
  }

  Attribute single(bool real) {
    if (peek().kind == TokenKind::quoted) return name("");
    if (is_mark('[', 1)) return tensor();
    std::string word = name("a value");
    std::int64_t integer = 0;
    float number = 0;
    if (!real && read_number(word, integer)) return integer;
    if (read_number(word, number)) return number;
    return word;
  }

  Attribute list(bool real) {
    auto items = words('[', ']');
    if (items.empty()) return std::vector<std::int64_t>{};
    if (!real) {
      if (auto integers = elements_of<std::int64_t>(items); !integers.empty()) return integers;
    }
    if (auto numbers = elements_of<float>(items); !numbers.empty()) return numbers;
    return items;
  }

  Tensor tensor() {
    const DType element = dtype();
    Shape shape;
    for (const Dim& dim : dims()) {
      if (!dim.known()) refuse("a constant's sizes before this");
      shape.push_back(dim.size);
    }
    auto items = words('{', '}');
    const auto count = static_cast<std::size_t>(element_count(shape));
    if (items.size() == 1) items.resize(count, items.front());
    if (items.size() != count) refuse(std::to_string(count) + " elements before this");
    return tensor_of(element, shape, items);
  }

  template <typename T>
  Tensor tensor_as(DType element, const Shape& shape, std::span<const std::string> items) const {
    const auto values = elements_of<T>(items);
    if (values.size() != items.size()) refuse("elements of that type before this");
    return {element, shape, std::as_bytes(std::span(values))};
  }

  Tensor tensor_of(DType element, const Shape& shape, std::span<const std::string> items) const {
    switch (element) {
      case DType::f32:
        return tensor_as<float>(element, shape, items);
      case DType::f64:
        return tensor_as<double>(element, shape, items);
      case DType::i8:
        return tensor_as<std::int8_t>(element, shape, items);
      case DType::u8:
      case DType::boolean:
        return tensor_as<std::uint8_t>(element, shape, items);
      case DType::i16:
        return tensor_as<std::int16_t>(element, shape, items);
      case DType::u16:
        return tensor_as<std::uint16_t>(element, shape, items);
      case DType::i32:
        return tensor_as<std::int32_t>(element, shape, items);
      case DType::u32:
        return tensor_as<std::uint32_t>(element, shape, items);
      case DType::i64:
        return tensor_as<std::int64_t>(element, shape, items);
      case DType::u64:
        return tensor_as<std::uint64_t>(element, shape, items);
      case DType::f16:
        return halves(shape, items);
      default:
        refuse("a type that a text can hold before this");
    }
  }

  Tensor halves(const Shape& shape, std::span<const std::string> items) const {
    const Tensor wide = tensor_as<float>(DType::f32, shape, items);
    std::vector<std::uint16_t> codes;
    for (const float value : wide.values<float>()) codes.push_back(float_to_half(value));
    return {DType::f16, shape, std::as_bytes(std::span(codes))};
  }

  /// What is read and written by nothing becomes an input, in the order of reading.
  void declare_inputs() {
    std::set<std::string, std::less<>> written{""};
    for (const Port& port : graph_.inputs) written.insert(port.name);
    for (const auto& [value, tensor] : graph_.constants) written.insert(value);
    for (const NodeId id : graph_.nodes()) {
      for (const auto& value : graph_[id].outputs) written.insert(value);
    }
    const auto declare = [&](const std::string& value) {
      if (written.insert(value).second) graph_.inputs.push_back({value, {}});
    };
    for (const NodeId id : graph_.nodes()) std::ranges::for_each(graph_[id].inputs, declare);
    for (const Port& port : graph_.outputs) declare(port.name);
  }

  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  Graph graph_;
};

}  // namespace

Graph parse(std::string_view text) { return Parser(text).run(); }

}  // namespace yoloq::graph
