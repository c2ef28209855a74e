// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/description.h"
#include "model/detail/architecture.h"

namespace yoloq::model::detail {

/// The arguments of one row, read by position as Python binds them. What is absent has its default;
/// what is of the wrong kind is an Error(corrupt_file) naming row and argument.
class ModuleArguments {
 public:
  explicit ModuleArguments(const Row& row) : row_(&row) {}

  const Row& row() const { return *row_; }
  std::size_t count() const { return row_->arguments.size(); }

  std::int64_t integer(std::size_t index, const char* name,
                       std::optional<std::int64_t> fallback = std::nullopt) const;
  double real(std::size_t index, const char* name, std::optional<double> fallback) const;
  bool flag(std::size_t index, const char* name, bool fallback) const;
  std::string text(std::size_t index, const char* name, const std::string& fallback) const;
  /// One number for both axes, or two; absent also where Python has None.
  std::optional<Pair> pair(std::size_t index, const char* name) const;
  std::vector<std::int64_t> integers(std::size_t index, const char* name,
                                     const std::vector<std::int64_t>& fallback) const;
  bool is_flag(std::size_t index) const;
  bool is_text(std::size_t index) const;
  bool is_none(std::size_t index) const;

  /// @throws Error(unsupported) if there are more, naming the first.
  void expect_at_most(std::size_t most) const;

 private:
  [[noreturn]] void refuse(std::size_t index, const char* name, const char* expected) const;

  const Row* row_;
};

}  // namespace yoloq::model::detail
