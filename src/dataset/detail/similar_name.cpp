// SPDX-License-Identifier: Apache-2.0
#include "dataset/detail/similar_name.h"

#include <algorithm>
#include <numeric>
#include <vector>

namespace yoloq::dataset::detail {

namespace {

constexpr std::size_t kFarthest = 2;
constexpr std::size_t kLongest = 64;

/// Levenshtein's distance, one row of the table at a time.
std::size_t distance(std::string_view from, std::string_view to) {
  std::vector<std::size_t> row(to.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < from.size(); ++i) {
    std::size_t diagonal = row[0]++;
    for (std::size_t j = 0; j < to.size(); ++j) {
      const std::size_t changed = diagonal + (from[i] == to[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({changed, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::optional<std::string_view> similar_name(std::string_view name,
                                             std::span<const std::string_view> names) {
  std::optional<std::string_view> best;
  std::size_t nearest = std::min(kFarthest + 1, name.size());
  if (name.size() > kLongest) return best;
  for (const std::string_view other : names) {
    const std::size_t away = distance(name, other);
    if (away >= nearest) continue;
    nearest = away;
    best = other;
  }
  return best;
}

}  // namespace yoloq::dataset::detail
