// SPDX-License-Identifier: Apache-2.0
#include "model/detail/module_arguments.h"

#include <variant>

namespace yoloq::model::detail {

namespace {

/// Kernels, strides, gains, channels: beyond is a typing error, and sums of a few still fit.
constexpr std::int64_t kLargestInteger = 1 << 20;

const std::int64_t* integer_in(const Argument& argument) {
  const auto* value = std::get_if<std::int64_t>(&argument.kind);
  if (value == nullptr || *value < -kLargestInteger || *value > kLargestInteger) return nullptr;
  return value;
}

}  // namespace

void ModuleArguments::refuse(std::size_t index, const char* name, const char* expected) const {
  if (index >= count()) {
    row_->place.reject(ErrorCode::corrupt_file, "{} lacks its argument {}, '{}': expected {}",
                       row_->module, index + 1, name, expected);
  }
  row_->place.reject(ErrorCode::corrupt_file, "argument {} of {}, '{}', is {}; expected {}",
                     index + 1, row_->module, name, row_->arguments[index].describe(), expected);
}

std::int64_t ModuleArguments::integer(std::size_t index, const char* name,
                                      std::optional<std::int64_t> fallback) const {
  if (index >= count() && fallback) return *fallback;
  const std::int64_t* value = index < count() ? integer_in(row_->arguments[index]) : nullptr;
  if (value == nullptr) refuse(index, name, "a whole number");
  return *value;
}

double ModuleArguments::real(std::size_t index, const char* name,
                             std::optional<double> fallback) const {
  if (index >= count() && fallback) return *fallback;
  if (index < count()) {
    const Argument& argument = row_->arguments[index];
    if (const auto* real = std::get_if<double>(&argument.kind)) return *real;
    if (const auto* integer = integer_in(argument)) return static_cast<double>(*integer);
  }
  refuse(index, name, "a number");
}

bool ModuleArguments::flag(std::size_t index, const char* name, bool fallback) const {
  if (index >= count()) return fallback;
  const Argument& argument = row_->arguments[index];
  if (const auto* flag = std::get_if<bool>(&argument.kind)) return *flag;
  refuse(index, name, "True or False");
}

std::string ModuleArguments::text(std::size_t index, const char* name,
                                  const std::string& fallback) const {
  if (index >= count()) return fallback;
  if (const auto* text = std::get_if<std::string>(&row_->arguments[index].kind)) return *text;
  refuse(index, name, "a text");
}

std::optional<Pair> ModuleArguments::pair(std::size_t index, const char* name) const {
  if (index >= count() || is_none(index)) return std::nullopt;
  const Argument& argument = row_->arguments[index];
  if (const auto* both = integer_in(argument)) return Pair{*both, *both};
  const auto* items = std::get_if<std::vector<Argument>>(&argument.kind);
  if (items != nullptr && items->size() == 2) {
    const auto* down = integer_in((*items)[0]);
    const auto* across = integer_in((*items)[1]);
    if (down != nullptr && across != nullptr) return Pair{*down, *across};
  }
  refuse(index, name, "a whole number or two");
}

std::vector<std::int64_t> ModuleArguments::integers(
    std::size_t index, const char* name, const std::vector<std::int64_t>& fallback) const {
  if (index >= count()) return fallback;
  const auto* items = std::get_if<std::vector<Argument>>(&row_->arguments[index].kind);
  if (items == nullptr) refuse(index, name, "a list of whole numbers");
  std::vector<std::int64_t> result;
  for (const Argument& item : *items) {
    const auto* value = integer_in(item);
    if (value == nullptr) refuse(index, name, "a list of whole numbers");
    result.push_back(*value);
  }
  return result;
}

bool ModuleArguments::is_flag(std::size_t index) const {
  return index < count() && std::holds_alternative<bool>(row_->arguments[index].kind);
}

bool ModuleArguments::is_text(std::size_t index) const {
  return index < count() && std::holds_alternative<std::string>(row_->arguments[index].kind);
}

bool ModuleArguments::is_none(std::size_t index) const {
  return index < count() && std::holds_alternative<std::monostate>(row_->arguments[index].kind);
}

void ModuleArguments::expect_at_most(std::size_t most) const {
  if (count() <= most) return;
  row_->place.reject(ErrorCode::unsupported,
                     "argument {} of {}, {}, is not known; expected at most {}", most + 1,
                     row_->module, row_->arguments[most].describe(), most);
}

}  // namespace yoloq::model::detail
