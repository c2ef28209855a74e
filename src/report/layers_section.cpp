// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "report/detail/words.h"
#include "report/sections.h"

namespace yoloq::report {

namespace {

constexpr std::size_t kMostOrigins = 4;  ///< Named of what was fused into one layer.

double time_of(const std::vector<ExecutedLayer>& layers) {
  double total = 0;
  for (const ExecutedLayer& layer : layers) total += layer.ms.value_or(0);
  return total;
}

std::string share_text(double ms, double total) {
  return total > 0 ? fmt::format("{:.1f} %", 100 * ms / total) : "-";
}

/// Layers by kind and precision, those that take longest first.
Table kinds_table(const std::vector<ExecutedLayer>& layers) {
  struct Group {
    std::pair<std::string, std::string> key;
    int count = 0;
    double ms = 0;
  };
  std::map<std::pair<std::string, std::string>, Group> by_key;
  for (const ExecutedLayer& layer : layers) {
    Group& group = by_key[{layer.kind, layer.precision}];
    ++group.count;
    group.ms += layer.ms.value_or(0);
  }
  std::vector<Group> groups;
  for (auto& [key, group] : by_key) groups.push_back({key, group.count, group.ms});
  std::ranges::stable_sort(groups, std::ranges::greater{}, &Group::ms);
  const double total = time_of(layers);
  Table table{.header = {"kind", "precision", "number", "ms", "share"}};
  for (const Group& group : groups) {
    table.rows.push_back({group.key.first, group.key.second, std::to_string(group.count),
                          fmt::format("{:.3f}", group.ms), share_text(group.ms, total)});
  }
  return table;
}

std::string origins_text(const ExecutedLayer& layer) {
  const std::size_t shown = std::min(kMostOrigins, layer.origins.size());
  const std::string names = fmt::format(
      "{}", fmt::join(layer.origins.begin(),
                      layer.origins.begin() + static_cast<std::ptrdiff_t>(shown), ", "));
  const std::size_t rest = layer.origins.size() - shown;
  return rest == 0 ? names : fmt::format("{}, {} more", names, rest);
}

Table layers_table(const std::vector<ExecutedLayer>& layers) {
  const double total = time_of(layers);
  Table table{
      .header = {"made from", "kind", "precision", "kernel", "ms", "share", "name in the engine"},
      .folded = fmt::format("All {} layers, in the order of their execution", layers.size())};
  for (const ExecutedLayer& layer : layers) {
    table.rows.push_back({origins_text(layer), layer.kind, layer.precision, layer.kernel,
                          layer.ms ? fmt::format("{:.3f}", *layer.ms) : "-",
                          layer.ms ? share_text(*layer.ms, total) : "-", layer.name});
  }
  return table;
}

}  // namespace

Section layers_section(const RunFolder& run) {
  Section section{.title = "Executed layers"};
  for (const Evaluation& evaluation : run.evaluations) {
    for (const EvaluatedModel& model : evaluation.models) {
      if (model.executed.empty()) continue;
      section.blocks.emplace_back(
          Text{fmt::format("{}: {} layers, {:.2f} ms for one image while each is timed.",
                           model.name, model.executed.size(), time_of(model.executed))});
      section.blocks.emplace_back(kinds_table(model.executed));
      section.blocks.emplace_back(layers_table(model.executed));
    }
  }
  if (section.blocks.empty()) {
    section.blocks.emplace_back(detail::missing(
        run, "no evaluation with a table of layers in the folder", detail::kEvalCommand));
  }
  return section;
}

}  // namespace yoloq::report
