// SPDX-License-Identifier: Apache-2.0
#include "cli/layer_kinds.h"

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "cli/table.h"
#include "runtime/unfused.h"

namespace yoloq::cli {

nlohmann::ordered_json compare_kinds(const NamedLayers& a, const NamedLayers& b) {
  std::map<std::string, std::pair<int, int>> counts;
  for (const auto& [kind, count] : runtime::count_kinds(a.layers)) counts[kind].first = count;
  for (const auto& [kind, count] : runtime::count_kinds(b.layers)) counts[kind].second = count;
  std::vector<std::vector<std::string>> table{{"layers", a.name, b.name, "more"}};
  auto json = nlohmann::ordered_json::object();
  for (const auto& [kind, count] : counts) {
    table.push_back({kind, std::to_string(count.first), std::to_string(count.second),
                     fmt::format("{:+}", count.second - count.first)});
    json[kind] = {count.first, count.second};
  }
  fmt::print("{}", to_table(table));
  return json;
}

}  // namespace yoloq::cli
