// SPDX-License-Identifier: Apache-2.0
#include "model/metadata.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "core/error.h"
#include "model/detail/literal.h"

namespace yoloq::model {

using detail::Literal;
using detail::parse_literal;

namespace {

constexpr double kMaxClasses =
    65536;  // Far above any data set; keeps a bad id from costing memory.
constexpr std::string_view kOriginPrefix = "origin.";

[[noreturn]] void refuse(std::string_view what) { fail(ErrorCode::corrupt_file, "{}", what); }

std::string name_from(const Literal& value) {
  if (const auto* text = value.text()) return *text;
  if (const auto* number = value.number()) return fmt::format("{}", *number);
  refuse("a class name is neither text nor a number");
}

/// A class id, written as a number or as a quoted number.
std::size_t id_from(const Literal& key) {
  double id = -1;
  if (const auto* number = key.number()) id = *number;
  if (const auto* text = key.text()) {
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), id);
    if (error != std::errc{} || end != text->data() + text->size()) id = -1;
  }
  if (id >= 0 && id < kMaxClasses && id == std::floor(id)) return static_cast<std::size_t>(id);
  refuse("a key is not a class id: expected whole numbers from 0");
}

std::vector<double> numbers_from(const Literal& value) {
  if (const auto* number = value.number()) return {*number};
  const auto* list = value.list();
  if (list == nullptr) refuse("expected numbers in a list");
  std::vector<double> result;
  for (const Literal& item : *list) {
    if (item.number() == nullptr) refuse("expected numbers in a list");
    result.push_back(*item.number());
  }
  return result;
}

std::vector<int> integers_from(const Literal& value) {
  std::vector<int> result;
  for (const double number : numbers_from(value)) {
    const bool whole = number >= 0 && number <= kMaxClasses && number == std::floor(number);
    if (!whole) refuse("expected whole numbers from 0");
    result.push_back(static_cast<int>(number));
  }
  return result;
}

/// [[[w, h], ...], ...], or Ultralytics' yaml form [[w, h, w, h, ...], ...].
std::vector<std::vector<Anchor>> anchors_from(const Literal& value) {
  const auto* heads = value.list();
  if (heads == nullptr) refuse("expected a list of anchors per head");
  std::vector<std::vector<Anchor>> result;
  for (const Literal& head : *heads) {
    std::vector<double> flat;
    if (head.list() == nullptr) refuse("expected a list of anchors per head");
    for (const Literal& item : *head.list())
      std::ranges::copy(numbers_from(item), std::back_inserter(flat));
    if (flat.size() % 2 != 0) refuse("an anchor has a width but no height");
    std::vector<Anchor> anchors;
    for (std::size_t i = 0; i < flat.size(); i += 2) {
      anchors.push_back({static_cast<float>(flat[i]), static_cast<float>(flat[i + 1])});
    }
    result.push_back(std::move(anchors));
  }
  return result;
}

std::string format_anchors(const std::vector<std::vector<Anchor>>& anchors) {
  std::vector<std::string> heads;
  for (const auto& head : anchors) {
    std::vector<std::string> pairs;
    for (const auto& [width, height] : head) pairs.push_back(fmt::format("[{},{}]", width, height));
    heads.push_back(fmt::format("[{}]", fmt::join(pairs, ",")));
  }
  return fmt::format("[{}]", fmt::join(heads, ","));
}

/// Hands the text under `key` to `parse`, if there is one; an error names the key.
template <typename Parse>
void with_metadata(const graph::Graph& graph, const std::string& key, Parse parse) {
  const auto found = graph.metadata.find(key);
  if (found == graph.metadata.end()) return;
  try {
    parse(found->second);
  } catch (const Error& error) {
    throw error.within("metadata '" + key + "'");
  }
}

}  // namespace

std::string format_names(const std::vector<std::string>& names) {
  std::vector<std::string> pairs;
  for (std::size_t id = 0; id < names.size(); ++id) {
    pairs.push_back(fmt::format("{}: {}", id, detail::quoted(names[id])));
  }
  return fmt::format("{{{}}}", fmt::join(pairs, ", "));
}

std::vector<std::string> parse_names(std::string_view literal) {
  const Literal value = parse_literal(literal);
  std::vector<std::string> names;
  if (const auto* list = value.list()) {
    std::ranges::transform(*list, std::back_inserter(names), name_from);
    return names;
  }
  const auto* dict = value.dict();
  if (dict == nullptr) refuse("class names are neither a list nor a dict");

  for (const auto& [key, name] : *dict) {
    const std::size_t id = id_from(key);
    while (names.size() <= id) names.push_back(fmt::format("{}", names.size()));
    names[id] = name_from(name);
  }
  return names;
}

void write_metadata(graph::Graph& graph, const ModelInfo& info) {
  auto& metadata = graph.metadata;
  if (!info.names.empty()) metadata["names"] = format_names(info.names);
  if (info.max_stride > 0) metadata["stride"] = fmt::format("{}", info.max_stride);
  if (!info.strides.empty())
    metadata["strides"] = fmt::format("[{}]", fmt::join(info.strides, ","));
  if (!info.anchors.empty()) metadata["anchors"] = format_anchors(info.anchors);
  if (info.class_count > 0) metadata["nc"] = fmt::format("{}", info.class_count);
  if (!info.task.empty()) metadata["task"] = info.task;
  for (const auto& [key, text] : info.origin) metadata[std::string(kOriginPrefix) + key] = text;
}

ModelInfo read_metadata(const graph::Graph& graph) {
  ModelInfo info;
  const auto largest = [](const std::vector<int>& values) {
    return values.empty() ? 0 : std::ranges::max(values);
  };
  with_metadata(graph, "names", [&](const std::string& s) { info.names = parse_names(s); });
  with_metadata(graph, "strides",
                [&](const std::string& s) { info.strides = integers_from(parse_literal(s)); });
  info.max_stride = largest(info.strides);
  with_metadata(graph, "stride", [&](const std::string& s) {
    info.max_stride = largest(integers_from(parse_literal(s)));
  });
  with_metadata(graph, "anchors",
                [&](const std::string& s) { info.anchors = anchors_from(parse_literal(s)); });
  info.class_count = static_cast<int>(info.names.size());
  with_metadata(graph, "nc", [&](const std::string& s) {
    info.class_count = largest(integers_from(parse_literal(s)));
  });
  with_metadata(graph, "task", [&](const std::string& s) { info.task = s; });
  for (const auto& [key, text] : graph.metadata) {
    if (key.starts_with(kOriginPrefix)) info.origin[key.substr(kOriginPrefix.size())] = text;
  }
  return info;
}

}  // namespace yoloq::model
