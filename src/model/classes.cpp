// SPDX-License-Identifier: Apache-2.0
#include "model/detail/classes.h"

#include "core/error.h"

namespace yoloq::model::detail {

namespace {

constexpr int kMostClasses = 65536;

}  // namespace

std::vector<std::string> class_names(int class_count, const std::vector<std::string>& names) {
  if (class_count < 1 || class_count > kMostClasses) {
    fail(ErrorCode::bad_argument, "{} classes; expected 1 to {}", class_count, kMostClasses);
  }
  const auto count = static_cast<std::size_t>(class_count);
  if (!names.empty() && names.size() != count) {
    fail(ErrorCode::bad_argument, "{} names for {} classes; expected one per class, or none",
         names.size(), class_count);
  }
  if (!names.empty()) return names;
  std::vector<std::string> numbers;
  for (std::size_t i = 0; i < count; ++i) numbers.push_back(std::to_string(i));
  return numbers;
}

}  // namespace yoloq::model::detail
