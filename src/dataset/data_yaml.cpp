// SPDX-License-Identifier: Apache-2.0
#include "dataset/data_yaml.h"

#include <yaml-cpp/yaml.h>

#include <array>
#include <charconv>
#include <optional>

#include "core/error.h"
#include "core/file.h"

namespace yoloq::dataset {

namespace {

constexpr std::size_t kMostBytes = 16 << 20;
constexpr std::size_t kMostClasses = 100'000;
constexpr std::array<const char*, 3> kSplits{"train", "val", "test"};

/// The yaml while it is read: knows where it is for messages.
class Reader {
 public:
  explicit Reader(const std::filesystem::path& file) : file_(file.string()) {}

  [[noreturn]] void reject(const YAML::Mark& mark, std::string_view what) const {
    fail(ErrorCode::corrupt_file, "{}:{}: {}", file_, mark.line + 1, what);
  }

  std::string text(const YAML::Node& node, std::string_view key) const {
    if (node.IsScalar()) return node.Scalar();
    reject(node.Mark(), fmt::format("'{}' should be a text or a number here", key));
  }

  std::size_t number(const YAML::Node& node, std::string_view key) const {
    const std::string digits = text(node, key);
    std::size_t value = 0;
    const char* const end = digits.data() + digits.size();
    const auto [stop, code] = std::from_chars(digits.data(), end, value);
    if (code == std::errc{} && stop == end && value <= kMostClasses) return value;
    reject(node.Mark(), fmt::format("'{}' should be a count up to {} here, not '{}'", key,
                                    kMostClasses, digits));
  }

  /// One text or a list of them.
  std::vector<std::string> texts(const YAML::Node& node, std::string_view key) const {
    if (!node.IsSequence()) return {text(node, key)};
    std::vector<std::string> all;
    for (const YAML::Node& item : node) all.push_back(text(item, key));
    return all;
  }

  /// Class names as a list, or as a map from 0, 1, ... in any order.
  std::vector<std::string> names(const YAML::Node& node) const {
    if (!node.IsMap()) {
      if (node.IsSequence()) return texts(node, "names");
      reject(node.Mark(), "'names' should be a list or a map from class number to name");
    }
    std::map<std::size_t, std::string> by_index;
    for (const auto& item : node) {
      const std::size_t index = number(item.first, "names");
      if (!by_index.emplace(index, text(item.second, "names")).second) {
        reject(item.first.Mark(), fmt::format("'names' has class {} twice", index));
      }
    }
    std::vector<std::string> all;
    for (auto& [index, name] : by_index) {
      if (index != all.size()) {
        reject(node.Mark(), fmt::format("'names' has no class {}", all.size()));
      }
      all.push_back(std::move(name));
    }
    return all;
  }

 private:
  std::string file_;
};

/// The value of a key; none if it is absent or empty (`names:` and nothing behind it).
std::optional<YAML::Node> value_of(const YAML::Node& root, const char* key) {
  YAML::Node node = root[key];
  if (!node || node.IsNull()) return std::nullopt;
  return node;
}

std::vector<std::string> class_names(const YAML::Node& root, const Reader& reader) {
  const auto names = value_of(root, "names");
  const auto count = value_of(root, "nc");
  if (!names && !count) return {};
  if (!names) {
    std::vector<std::string> made(reader.number(*count, "nc"));
    for (std::size_t i = 0; i < made.size(); ++i) made[i] = fmt::format("class{}", i);
    return made;
  }
  std::vector<std::string> all = reader.names(*names);
  if (count && reader.number(*count, "nc") != all.size()) {
    reader.reject(count->Mark(), fmt::format("'nc' is {} but there are {} 'names'",
                                             reader.number(*count, "nc"), all.size()));
  }
  return all;
}

Dataset read(const YAML::Node& root, const std::filesystem::path& file) {
  const Reader reader(file);
  if (!root.IsMap()) {
    reader.reject(root.Mark(), "expected keys such as 'path:', 'val:' and 'names:'");
  }
  Dataset dataset;
  dataset.file = file;
  if (const auto path = value_of(root, "path")) dataset.root = reader.text(*path, "path");
  for (const char* split : kSplits) {
    if (const auto entries = value_of(root, split)) {
      dataset.splits[split] = reader.texts(*entries, split);
    }
  }
  if (const auto annotations = value_of(root, "annotations")) {
    dataset.annotations = reader.text(*annotations, "annotations");
  }
  dataset.names = class_names(root, reader);
  return dataset;
}

}  // namespace

Dataset parse_data_yaml(std::string_view text, const std::filesystem::path& file) {
  if (text.size() > kMostBytes) {
    fail(ErrorCode::corrupt_file, "'{}' has {} bytes, too many for a data yaml", file.string(),
         text.size());
  }
  try {
    return read(YAML::Load(std::string(text)), file);
  } catch (const YAML::Exception& error) {
    Reader(file).reject(error.mark, error.msg);
  }
}

Dataset read_data_yaml(const std::filesystem::path& file) {
  return parse_data_yaml(read_file(file), file);
}

}  // namespace yoloq::dataset
