// SPDX-License-Identifier: Apache-2.0
#include "cli/inspect_engine.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

#include "cli/layer_kinds.h"
#include "cli/results.h"
#include "cli/table.h"
#include "runtime/measure.h"
#include "runtime/unfused.h"

namespace yoloq::cli {

namespace {

using Json = nlohmann::ordered_json;
using Rows = std::vector<std::vector<std::string>>;
using Layers = std::vector<runtime::LayerInfo>;

constexpr std::int64_t kProfiledRuns = 20;

double total_ms(std::span<const runtime::LayerInfo> layers) {
  double total = 0;
  for (const auto& layer : layers) total += layer.time_ms.value_or(0);
  return total;
}

Json json_of(const runtime::LayerInfo& layer, double total) {
  Json json{{"name", layer.name},     {"kind", layer.kind},     {"precision", layer.precision},
            {"format", layer.format}, {"kernel", layer.kernel}, {"origins", layer.origins}};
  if (layer.time_ms) {
    json["ms"] = *layer.time_ms;
    json["share"] = total > 0 ? *layer.time_ms / total : 0;
  }
  return json;
}

std::vector<std::string> row_of(const runtime::LayerInfo& layer, double total) {
  std::vector<std::string> row{layer.name, layer.kind, layer.precision, layer.format, layer.kernel};
  if (total > 0) {
    const double ms = layer.time_ms.value_or(0);
    row.push_back(fmt::format("{:.3f}", ms));
    row.push_back(fmt::format("{:.1f} %", 100 * ms / total));
  }
  row.push_back(fmt::format("{}", fmt::join(layer.origins, ", ")));
  return row;
}

/// The layers that stand alone, by reason.
Json show_unfused(const Layers& layers, double total) {
  struct Group {
    int count = 0;
    double ms = 0;
  };
  std::map<std::pair<std::string, std::string_view>, Group> groups;
  for (const auto& layer : layers) {
    const auto why = runtime::why_unfused(layer);
    if (why.empty()) continue;
    Group& group = groups[{layer.kind, why}];
    ++group.count;
    group.ms += layer.time_ms.value_or(0);
  }
  Json json = Json::array();
  for (const auto& [key, group] : groups) {
    const auto& [kind, why] = key;
    const std::string share =
        total > 0 ? fmt::format(", {:.1f} % of the time", 100 * group.ms / total) : "";
    fmt::print("not fused: {} x {}{}: {}\n", group.count, kind, share, why);
    json.push_back({{"kind", kind}, {"count", group.count}, {"ms", group.ms}, {"why", why}});
  }
  return json;
}

/// Layers by the first graph node they come from.
std::map<std::string, const runtime::LayerInfo*> by_origin(const Layers& layers) {
  std::map<std::string, const runtime::LayerInfo*> result;
  for (const auto& layer : layers) {
    for (const auto& origin : layer.origins) result.try_emplace(origin, &layer);
  }
  return result;
}

}  // namespace

void run_some(const pipeline::LoadedDetector& loaded) {
  const auto& detector = loaded.detector;
  const Shape shape{detector.batch, 3, detector.size.height, detector.size.width};
  const auto inputs = runtime::random_inputs(*detector.engine, {{shape}});
  runtime::measure_latency(*detector.engine, inputs, {.seconds = 0, .runs = kProfiledRuns});
}

Json executed_json(std::span<const runtime::LayerInfo> layers) {
  const double total = total_ms(layers);
  Json rows = Json::array();
  for (const auto& layer : layers) rows.push_back(json_of(layer, total));
  return rows;
}

Json show_engine(const pipeline::LoadedDetector& loaded, bool profile) {
  if (profile) run_some(loaded);
  const Layers layers = loaded.detector.engine->layers();
  const double total = total_ms(layers);
  Rows table{{"primitive", "kind", "precision", "format", "kernel"}};
  if (total > 0) table.front().insert(table.front().end(), {"ms", "share"});
  table.front().push_back("from");
  for (const auto& layer : layers) table.push_back(row_of(layer, total));
  fmt::print("{}", to_table(table));
  const Json unfused = show_unfused(layers, total);
  fmt::print("{} / {} convolutions execute in int8; {}\n", loaded.layers.int8, loaded.layers.total,
             loaded.detector.engine->description());
  print_notices(loaded.detector.engine->notices());
  return {{"layers_int8", loaded.layers.int8},
          {"layers_total", loaded.layers.total},
          {"engine", loaded.detector.engine->description()},
          {"kinds", runtime::count_kinds(layers)},
          {"unfused", unfused},
          {"executed", executed_json(layers)},
          {"notices", loaded.detector.engine->notices()}};
}

Json show_difference(const pipeline::LoadedDetector& a, const pipeline::LoadedDetector& b) {
  const Layers layers_a = a.detector.engine->layers();
  const Layers layers_b = b.detector.engine->layers();
  const auto other = by_origin(layers_b);
  Rows table{{"node", "precision " + a.name, b.name, "kernel " + a.name, b.name}};
  Json rows = Json::array();
  for (const auto& [origin, layer] : by_origin(layers_a)) {
    const auto found = other.find(origin);
    if (found == other.end()) continue;
    const auto& twin = *found->second;
    if (layer->precision == twin.precision && layer->kernel == twin.kernel) continue;
    table.push_back({origin, layer->precision, twin.precision, layer->kernel, twin.kernel});
    rows.push_back({{"node", origin},
                    {"precision", {layer->precision, twin.precision}},
                    {"kernel", {layer->kernel, twin.kernel}}});
  }
  fmt::print("{}", to_table(table));
  const Json kinds = compare_kinds({a.name, layers_a}, {b.name, layers_b});
  return {{"a", a.name}, {"b", b.name}, {"differ", std::move(rows)}, {"kinds", kinds}};
}

}  // namespace yoloq::cli
