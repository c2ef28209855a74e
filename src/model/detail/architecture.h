// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/core.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/error.h"
#include "model/description.h"

/// @file
/// A model yaml as plain values: what stands in it, nothing worked out.

namespace yoloq::model::detail {

/// A place of the yaml, for messages.
struct YamlPlace {
  std::string name;  ///< The file's.
  int line = 0;      ///< From 1.

  /// Throws Error(code): "yolov5n.yaml:12: ...".
  template <typename... Args>
  [[noreturn]] void reject(ErrorCode code, fmt::format_string<Args...> format,
                           Args&&... args) const {
    fail(code, "{}:{}: {}", name, line, fmt::format(format, std::forward<Args>(args)...));
  }
};

/// An argument of a module, as Python would see it: None, True, 3, 0.5, "nearest", [5, 9, 13].
struct Argument {
  std::variant<std::monostate, bool, std::int64_t, double, std::string, std::vector<Argument>> kind;

  /// As Python writes it, for messages.
  std::string describe() const;
};

/// [from, number, module, arguments].
struct Row {
  std::vector<int> from;
  std::int64_t number = 1;
  std::string module;
  std::vector<Argument> arguments;
  YamlPlace place;
};

struct Architecture {
  int class_count = 0;  ///< 0: the yaml has none.
  double depth_multiple = 1;
  double width_multiple = 1;
  std::string activation;  ///< Python text: "nn.SiLU()"; empty: the yaml has none.
  Argument anchors;        ///< A number, or lists; None: the yaml has none.
  YamlPlace anchors_place;
  std::vector<Row> rows;  ///< Backbone, then head.
};

/// Reads the yaml's text.
///
/// @throws Error(corrupt_file) with name and line.
Architecture parse_architecture(std::string_view text, const std::string& name);

}  // namespace yoloq::model::detail
