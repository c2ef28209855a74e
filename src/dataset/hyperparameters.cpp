// SPDX-License-Identifier: Apache-2.0
#include "dataset/hyperparameters.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

#include "core/error.h"
#include "core/file.h"
#include "dataset/detail/builtin_hyperparameters.h"
#include "dataset/detail/hyperparameter_keys.h"
#include "dataset/detail/similar_name.h"

namespace yoloq::dataset {

namespace {

using HypKind = HypFinding::Kind;
using Key = detail::HyperparameterKey;

constexpr std::size_t kMostHypBytes = 1 << 20;

/// A line of the file.
struct Entry {
  std::string key;
  std::string value;  ///< As it is written; empty if it is a list or a map.
  int line = 0;
};

std::vector<Entry> entries_of(std::string_view yaml, const std::string& name) {
  if (yaml.size() > kMostHypBytes) {
    fail(ErrorCode::corrupt_file, "'{}' has {} bytes, too many for hyper-parameters", name,
         yaml.size());
  }
  std::vector<Entry> entries;
  try {
    const YAML::Node root = YAML::Load(std::string(yaml));
    if (!root.IsMap()) {
      fail(ErrorCode::corrupt_file, "{}:1: expected lines such as 'lr0: 0.01'", name);
    }
    for (const auto& item : root) {
      entries.push_back({.key = item.first.IsScalar() ? item.first.Scalar() : "?",
                         .value = item.second.IsScalar() ? item.second.Scalar() : "",
                         .line = item.first.Mark().line + 1});
    }
  } catch (const YAML::Exception& error) {
    fail(ErrorCode::corrupt_file, "{}:{}: {}", name, error.mark.line + 1, error.msg);
  }
  return entries;
}

const Key* find_key(std::string_view name) {
  for (const Key& key : detail::hyperparameter_keys()) {
    if (key.name == name) return &key;
  }
  return nullptr;
}

/// The number; NaN if it is none.
double number_in(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  const auto [stop, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = code == std::errc{} && stop == text.data() + text.size();
  return whole ? value : std::numeric_limits<double>::quiet_NaN();
}

/// What keeps a known key's line from being used; none if nothing does.
std::optional<std::string> fault_of(const Key& key, const Entry& entry) {
  const double value = number_in(entry.value);
  if (key.allows(value)) return std::nullopt;
  return fmt::format("'{}' is '{}', expected a number {} {} to {}", key.name,
                     std::string_view(entry.value).substr(0, 40),
                     key.above_least ? "above" : "from", key.least, key.most);
}

/// Why a known key changes nothing here.
std::optional<std::string> reason_unused(const Key& key, double value) {
  if (key.name == "iou_t") return "no code uses it, nor does Ultralytics'";
  if (key.name == "copy_paste" && value > 0) {
    return "objects are pasted by their outlines, but labels are read as boxes";
  }
  return std::nullopt;
}

std::string what_unknown(std::string_view key) {
  if (key == "anchors") return "anchors are those of the model; they are not made anew";
  std::vector<std::string_view> names;
  for (const Key& known : detail::hyperparameter_keys()) names.push_back(known.name);
  const auto similar = detail::similar_name(key, names);
  if (!similar) return "no such hyper-parameter; it is left alone";
  return fmt::format("no such hyper-parameter; was '{}' meant?", *similar);
}

HypFinding finding(HypKind kind, const Entry& entry, const std::string& name, std::string what) {
  return {.kind = kind,
          .key = entry.key,
          .where = fmt::format("{}:{}", name, entry.line),
          .what = std::move(what)};
}

/// Keys that files of one release or another lack, and whose defaults change nothing.
bool is_often_absent(std::string_view key) {
  return key == "iou_t" || key == "label_smoothing" || key == "copy_paste";
}

/// What there is to say about a line.
std::optional<HypFinding> check(const Entry& entry, const std::string& name) {
  const Key* const key = find_key(entry.key);
  if (!key) return finding(HypKind::unknown, entry, name, what_unknown(entry.key));
  if (auto fault = fault_of(*key, entry)) {
    return finding(HypKind::out_of_range, entry, name, std::move(*fault));
  }
  if (auto reason = reason_unused(*key, number_in(entry.value))) {
    return finding(HypKind::unused, entry, name, std::move(*reason));
  }
  return std::nullopt;
}

/// The line where the key of entries[index] stands first; none if that is it.
std::optional<int> line_before(const std::vector<Entry>& entries, std::size_t index) {
  for (std::size_t i = 0; i < index; ++i) {
    if (entries[i].key == entries[index].key) return entries[i].line;
  }
  return std::nullopt;
}

}  // namespace

Hyperparameters parse_hyperparameters(std::string_view yaml, const std::string& name) {
  Hyperparameters hyperparameters;
  const std::vector<Entry> entries = entries_of(yaml, name);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const Key* const key = find_key(entries[i].key);
    if (!key) continue;
    if (const auto fault = fault_of(*key, entries[i])) {
      fail(ErrorCode::corrupt_file, "{}:{}: {}", name, entries[i].line, *fault);
    }
    if (const auto line = line_before(entries, i)) {
      fail(ErrorCode::corrupt_file, "{}:{}: '{}' stands in line {} already", name, entries[i].line,
           key->name, *line);
    }
    hyperparameters.*key->member = number_in(entries[i].value);
  }
  return hyperparameters;
}

Hyperparameters read_hyperparameters(const std::filesystem::path& file) {
  return parse_hyperparameters(hyperparameters_text(file), file.string());
}

std::string hyperparameters_text(const std::filesystem::path& file) {
  std::error_code ignored;
  if (std::filesystem::exists(file, ignored)) return read_file(file);
  if (const auto text = detail::builtin_hyperparameters_text(file.string())) {
    return std::string(*text);
  }
  fail(ErrorCode::not_found, "no hyper-parameters '{}': no such file, and built in are {}",
       file.string(), fmt::join(builtin_hyperparameters(), ", "));
}

std::string to_yaml(const Hyperparameters& hyperparameters) {
  std::string yaml;
  for (const Key& key : detail::hyperparameter_keys()) {
    yaml += fmt::format("{}: {}\n", key.name, hyperparameters.*key.member);
  }
  return yaml;
}

std::string_view name_of(HypFinding::Kind kind) {
  switch (kind) {
    case HypKind::unknown:
      return "unknown";
    case HypKind::out_of_range:
      return "out of range";
    case HypKind::unused:
      return "unused";
    case HypKind::missing:
      return "missing";
  }
  return "";
}

std::vector<HypFinding> check_hyperparameters(std::string_view yaml, const std::string& name) {
  const std::vector<Entry> entries = entries_of(yaml, name);
  std::vector<HypFinding> findings;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (auto found = check(entries[i], name)) findings.push_back(std::move(*found));
    const auto line = find_key(entries[i].key) ? line_before(entries, i) : std::nullopt;
    if (!line) continue;
    findings.push_back(finding(HypKind::out_of_range, entries[i], name,
                               fmt::format("it stands in line {} already", *line)));
  }
  for (const Key& key : detail::hyperparameter_keys()) {
    const bool there =
        std::ranges::any_of(entries, [&](const Entry& entry) { return entry.key == key.name; });
    if (there || is_often_absent(key.name)) continue;
    findings.push_back({.kind = HypKind::missing,
                        .key = std::string(key.name),
                        .where = name,
                        .what = fmt::format("not in the file: {}", Hyperparameters{}.*key.member)});
  }
  return findings;
}

}  // namespace yoloq::dataset
