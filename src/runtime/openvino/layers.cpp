// SPDX-License-Identifier: Apache-2.0
#include "runtime/openvino/detail/layers.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <memory>
#include <openvino/core/model.hpp>
#include <openvino/core/node.hpp>
#include <set>
#include <sstream>
#include <string_view>

namespace yoloq::runtime::openvino {

namespace {

/// OpenVINO's reader splits a convolution from its bias and gives the first part this ending.
constexpr std::string_view kSplitEnding = "/WithoutBiases";

std::string info_of(const ov::Node& layer, const std::string& key) {
  const auto& all = layer.get_rt_info();
  const auto found = all.find(key);
  return found == all.end() ? std::string() : found->second.as<std::string>();
}

/// The graph's node that OpenVINO calls `name`, or "": it appends "/WithoutBiases" to the first
/// half of a split operator and "_1" to a copy.
std::string origin_of(std::string name, const Metadata& nodes) {
  if (const auto node = nodes.find(name); node != nodes.end()) return node->second;
  if (name.ends_with(kSplitEnding)) {
    name.resize(name.size() - kSplitEnding.size());
  } else {
    const auto is_digit = [](unsigned char letter) { return std::isdigit(letter) != 0; };
    while (!name.empty() && is_digit(name.back())) name.pop_back();
    if (name.ends_with('_')) name.pop_back();
  }
  const auto node = nodes.find(name);
  return node == nodes.end() ? std::string() : node->second;
}

std::vector<std::string> origins_of(const ov::Node& layer, const Metadata& nodes) {
  std::vector<std::string> origins;
  std::istringstream list(info_of(layer, "originalLayersNames"));
  for (std::string part; std::getline(list, part, ',');) {
    std::string origin = origin_of(part, nodes);
    if (origin.empty() || std::ranges::find(origins, origin) != origins.end()) continue;
    origins.push_back(std::move(origin));
  }
  return origins;
}

/// 0 where the plugin gives none.
int execution_place(const ov::Node& layer) {
  const std::string text = info_of(layer, "execOrder");
  int place = 0;
  std::from_chars(text.data(), text.data() + text.size(), place);
  return place;
}

std::vector<std::shared_ptr<ov::Node>> in_execution_order(const ov::Model& runtime_model) {
  auto layers = runtime_model.get_ordered_ops();
  std::ranges::stable_sort(layers, {}, [](const auto& layer) { return execution_place(*layer); });
  return layers;
}

bool is_end(const std::string& kind) { return kind == "Input" || kind == "Output"; }

/// Layers that run once, while compiling.
class ConstantLayers {
 public:
  /// To be called in execution order.
  bool take(const ov::Node& layer, const std::string& kind) {
    bool constant = kind == "Const";
    if (!constant && layer.get_input_size() > 0) {
      constant = true;
      for (std::size_t i = 0; i < layer.get_input_size(); ++i) {
        constant = constant && seen_.contains(layer.get_input_node_ptr(i));
      }
    }
    if (constant) seen_.insert(&layer);
    return constant;
  }

 private:
  std::set<const ov::Node*> seen_;
};

}  // namespace

std::vector<LayerInfo> layer_table(const ov::Model& runtime_model, const Metadata& nodes,
                                   const LayerTimes& times) {
  ConstantLayers constants;
  std::vector<LayerInfo> table;
  for (const auto& layer : in_execution_order(runtime_model)) {
    const std::string kind = info_of(*layer, "layerType");
    if (constants.take(*layer, kind) || is_end(kind)) continue;
    LayerInfo row{.name = layer->get_friendly_name(),
                  .kind = kind,
                  .precision = info_of(*layer, "runtimePrecision"),
                  .kernel = info_of(*layer, "primitiveType"),
                  .origins = origins_of(*layer, nodes),
                  .convolutions = kind.find("Convolution") == std::string::npos ? 0 : 1,
                  .time_ms = std::nullopt};
    if (const auto time = times.find(row.name); time != times.end()) row.time_ms = time->second;
    table.push_back(std::move(row));
  }
  return table;
}

}  // namespace yoloq::runtime::openvino
