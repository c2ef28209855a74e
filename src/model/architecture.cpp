// SPDX-License-Identifier: Apache-2.0
#include "model/detail/architecture.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <yaml-cpp/yaml.h>

#include <charconv>
#include <cmath>
#include <optional>

namespace yoloq::model::detail {

namespace {

constexpr std::size_t kMostYamlBytes = 1 << 20;  // Real: 2 kB.
constexpr std::size_t kMostRows = 1000;          // Real: 25 to 43.
constexpr std::size_t kMostArguments = 64;       // In one list.
constexpr int kDeepestArgument = 3;
constexpr std::int64_t kMostRepeats = 1000;
constexpr std::int64_t kMostYamlClasses = 65536;
constexpr double kMostGain = 100;

template <typename T>
std::optional<T> number_in(const std::string& text) {
  T value{};
  const char* const end = text.data() + text.size();
  const auto [stop, code] = std::from_chars(text.data(), end, value);
  if (code != std::errc{} || stop != end) return std::nullopt;
  return value;
}

Argument scalar_argument(const std::string& text) {
  if (text == "None" || text == "null" || text == "~") return {};
  if (text == "True" || text == "true" || text == "TRUE") return {true};
  if (text == "False" || text == "false" || text == "FALSE") return {false};
  if (const auto integer = number_in<std::int64_t>(text)) return {*integer};
  if (const auto real = number_in<double>(text); real && std::isfinite(*real)) return {*real};
  return {text};
}

/// The yaml while it is read: knows its name for messages.
class YamlReader {
 public:
  explicit YamlReader(std::string name) : name_(std::move(name)) {}

  YamlPlace place(const YAML::Mark& mark) const { return {name_, mark.line + 1}; }

  template <typename... Args>
  [[noreturn]] void reject(const YAML::Node& node, fmt::format_string<Args...> format,
                           Args&&... args) const {
    place(node.Mark()).reject(ErrorCode::corrupt_file, format, std::forward<Args>(args)...);
  }

  Argument argument(const YAML::Node& node, int depth = 0) const {
    if (node.IsNull()) return {};
    if (node.IsScalar()) return scalar_argument(node.Scalar());
    if (!node.IsSequence()) reject(node, "expected a value or a list here, not a map");
    if (depth == kDeepestArgument || node.size() > kMostArguments) {
      reject(node, "a list of arguments is too deep or too long");
    }
    std::vector<Argument> items;
    for (const YAML::Node& item : node) items.push_back(argument(item, depth + 1));
    return {std::move(items)};
  }

  std::int64_t integer(const YAML::Node& node, std::string_view what, std::int64_t low,
                       std::int64_t high) const {
    const auto value = node.IsScalar() ? number_in<std::int64_t>(node.Scalar()) : std::nullopt;
    if (value && *value >= low && *value <= high) return *value;
    reject(node, "{} should be a whole number from {} to {}, not {}", what, low, high,
           argument(node).describe());
  }

  /// A factor on the number or the channels of layers.
  double gain(const YAML::Node& root, const char* key) const {
    const YAML::Node node = root[key];
    if (!node || node.IsNull()) {
      reject(root, "the key '{}' is missing; expected a factor such as 0.33", key);
    }
    const auto value = node.IsScalar() ? number_in<double>(node.Scalar()) : std::nullopt;
    if (value && *value > 0 && *value <= kMostGain) return *value;
    reject(node, "'{}' should be a factor above 0 and up to {}, not {}", key, kMostGain,
           argument(node).describe());
  }

  std::vector<int> sources(const YAML::Node& node) const {
    constexpr auto kLimit = static_cast<std::int64_t>(kMostRows);
    const auto one = [&](const YAML::Node& item) {
      return static_cast<int>(integer(item, "'from'", -kLimit, kLimit));
    };
    if (!node.IsSequence()) return {one(node)};
    if (node.size() < 1 || node.size() > kMostArguments) {
      reject(node, "'from' should be a layer or a list of layers");
    }
    std::vector<int> all;
    for (const YAML::Node& item : node) all.push_back(one(item));
    return all;
  }

  Row row(const YAML::Node& node) const {
    constexpr const char* kForm = "a layer is a list [from, number, module, arguments]";
    if (!node.IsSequence() || node.size() != 4) reject(node, "{}", kForm);
    if (!node[2].IsScalar() || !node[3].IsSequence()) reject(node, "{}", kForm);
    return {.from = sources(node[0]),
            .number = integer(node[1], "'number'", 1, kMostRepeats),
            .module = node[2].Scalar(),
            .arguments = std::get<std::vector<Argument>>(argument(node[3]).kind),
            .place = place(node.Mark())};
  }

  void add_rows(const YAML::Node& root, const char* key, std::vector<Row>& rows) const {
    const YAML::Node list = root[key];
    if (!list || !list.IsSequence()) {
      reject(root,
             "the key '{}' is missing or no list; expected layers as [from, number, module, "
             "arguments]",
             key);
    }
    for (const YAML::Node& item : list) {
      if (rows.size() == kMostRows) reject(item, "more than {} layers", kMostRows);
      rows.push_back(row(item));
    }
  }

  Architecture architecture(const YAML::Node& root) const {
    if (!root.IsMap()) reject(root, "expected keys such as 'nc:', 'backbone:' and 'head:'");
    Architecture result;
    if (const YAML::Node count = root["nc"]; count && !count.IsNull()) {
      result.class_count = static_cast<int>(integer(count, "'nc'", 1, kMostYamlClasses));
    }
    result.depth_multiple = gain(root, "depth_multiple");
    result.width_multiple = gain(root, "width_multiple");
    if (const YAML::Node text = root["activation"]; text && !text.IsNull()) {
      if (!text.IsScalar()) reject(text, "'activation' should be a text such as nn.SiLU()");
      result.activation = text.Scalar();
    }
    result.anchors_place = place(root.Mark());
    if (const YAML::Node anchors = root["anchors"]; anchors && !anchors.IsNull()) {
      result.anchors = argument(anchors);
      result.anchors_place = place(anchors.Mark());
    }
    add_rows(root, "backbone", result.rows);
    add_rows(root, "head", result.rows);
    return result;
  }

 private:
  std::string name_;
};

}  // namespace

std::string Argument::describe() const {
  struct Describe {
    std::string operator()(std::monostate) const { return "None"; }
    std::string operator()(bool value) const { return value ? "True" : "False"; }
    std::string operator()(std::int64_t value) const { return fmt::format("{}", value); }
    std::string operator()(double value) const { return fmt::format("{}", value); }
    std::string operator()(const std::string& value) const { return "'" + value + "'"; }
    std::string operator()(const std::vector<Argument>& items) const {
      std::vector<std::string> texts;
      for (const Argument& item : items) texts.push_back(item.describe());
      return fmt::format("[{}]", fmt::join(texts, ", "));
    }
  };
  return std::visit(Describe{}, kind);
}

Architecture parse_architecture(std::string_view text, const std::string& name) {
  if (text.size() > kMostYamlBytes) {
    fail(ErrorCode::corrupt_file, "{} has {} bytes, too many for a model yaml", name, text.size());
  }
  const YamlReader reader(name);
  try {
    return reader.architecture(YAML::Load(std::string(text)));
  } catch (const YAML::Exception& error) {
    reader.place(error.mark).reject(ErrorCode::corrupt_file, "{}", error.msg);
  }
}

}  // namespace yoloq::model::detail
