// SPDX-License-Identifier: Apache-2.0
#include "graph/text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <type_traits>

#include "graph/detail/lexer.h"

namespace yoloq::graph {

namespace {

using detail::quoted_if_needed;

constexpr std::size_t kListedElements = 64;

/// The shortest digits that read back as the same number, with a point or an exponent.
std::string real_text(double value, bool single) {
  std::string text =
      single ? fmt::format("{}", static_cast<float>(value)) : fmt::format("{}", value);
  const bool whole = text.find_first_not_of("-0123456789") == text.npos;
  return whole ? text + ".0" : text;
}

template <typename List, typename Format>
std::string joined(const List& list, Format format, std::string_view separator) {
  std::string result;
  for (const auto& item : list) {
    if (!result.empty()) result += separator;
    result += format(item);
  }
  return result;
}

std::string elements_text(const Tensor& tensor) {
  const DType type = tensor.dtype();
  if (tensor.size() > kListedElements || size_of(type) == 0 || type == DType::bf16) return "...";
  if (type == DType::f64) {
    return joined(
        tensor.values<double>(), [](double v) { return real_text(v, false); }, ",");
  }
  if (type == DType::f32 || type == DType::f16) {
    return joined(
        tensor.to_floats(), [](float v) { return real_text(v, true); }, ",");
  }
  return fmt::format("{}", fmt::join(tensor.to_integers(), ","));
}

std::string text_of(const Tensor& tensor) {
  return fmt::format("{}[{}] {{{}}}", name_of(tensor.dtype()), fmt::join(tensor.shape(), ","),
                     elements_text(tensor));
}

/// A text attribute: quoted also where it would read back as a number.
std::string word_text(const std::string& word) {
  const bool digits = !word.empty() && (word[0] == '-' || (word[0] >= '0' && word[0] <= '9'));
  const bool number_like = digits || word == "inf" || word == "nan";
  return number_like ? fmt::format("\"{}\"", word) : quoted_if_needed(word);
}

std::string text_of(const Attribute& attribute) {
  return std::visit(
      [](const auto& value) -> std::string {
        using T = std::decay_t<decltype(value)>;
        const auto real = [](float v) { return real_text(v, true); };
        if constexpr (std::is_same_v<T, std::int64_t>) return std::to_string(value);
        if constexpr (std::is_same_v<T, float>) return real(value);
        if constexpr (std::is_same_v<T, std::string>) return word_text(value);
        if constexpr (std::is_same_v<T, Tensor>) return text_of(value);
        if constexpr (std::is_same_v<T, Opaque>) return fmt::format("<{}>", value.bytes.size());
        if constexpr (std::is_same_v<T, std::vector<float>>) {
          return fmt::format("[{}]", joined(value, real, ","));
        }
        if constexpr (std::is_same_v<T, std::vector<std::int64_t>>) {
          return fmt::format("[{}]", fmt::join(value, ","));
        }
        if constexpr (std::is_same_v<T, std::vector<std::string>>) {
          return fmt::format("[{}]", joined(value, word_text, ","));
        }
      },
      attribute);
}

std::string text_of(const Port& port) {
  const auto size = [](const Dim& dim) {
    if (dim.known()) return std::to_string(dim.size);
    return dim.symbol.empty() ? std::string("?") : quoted_if_needed(dim.symbol);
  };
  std::string text = quoted_if_needed(port.name);
  if (port.type == ValueType{}) return text;
  text += fmt::format(" {}", name_of(port.type.dtype));
  if (port.type.dims) text += fmt::format("[{}]", joined(*port.type.dims, size, ","));
  return text;
}

std::string names_text(const std::vector<std::string>& names) {
  std::string result;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) result += ", ";
    if (!names[i].empty()) result += quoted_if_needed(names[i]);
  }
  return result;
}

std::string text_of(const Node& node) {
  const std::string op = node.domain.empty() ? node.op : node.domain + "::" + node.op;
  std::string text = names_text(node.outputs) + " = " + op + "(" + names_text(node.inputs) + ")";
  for (const auto& [key, value] : node.attributes) text += " " + key + "=" + text_of(value);
  if (!node.name.empty()) text += " @" + quoted_if_needed(node.name);
  return text;
}

std::string write(const Graph& graph, bool with_constants) {
  std::string text;
  for (const Port& input : graph.inputs) {
    if (input.type != ValueType{}) text += "input " + text_of(input) + "\n";
  }
  if (with_constants) {
    for (const auto& [name, tensor] : graph.constants) {
      text += quoted_if_needed(name) + " = " + text_of(tensor) + "\n";
    }
  }
  for (const NodeId id : graph.nodes()) text += text_of(graph[id]) + "\n";
  const auto port = [](const Port& p) { return text_of(p); };
  if (graph.outputs.empty()) return text;
  return text + "return " + joined(graph.outputs, port, ", ") + "\n";
}

}  // namespace

std::string to_text(const Graph& graph) { return write(graph, false); }

std::string to_text_with_constants(const Graph& graph) { return write(graph, true); }

}  // namespace yoloq::graph
