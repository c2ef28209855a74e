// SPDX-License-Identifier: Apache-2.0
#include "runtime/tensorrt/build_log.h"

#include <algorithm>

#include "runtime/tensorrt/inspector.h"

namespace yoloq::runtime::tensorrt {

namespace {

constexpr std::string_view kHeading = "Layers:\n";

/// The text between `before` and the next `behind`; empty if `before` is not there.
std::string_view between(std::string_view text, std::string_view before, std::string_view behind) {
  const auto start = text.find(before);
  if (start == std::string_view::npos) return {};
  text.remove_prefix(start + before.size());
  return text.substr(0, text.find(behind));
}

/// "key: [ {...}, {...} ]": braces do not nest, and names have none.
std::vector<BuiltTensor> tensors_of(std::string_view line, std::string_view key) {
  std::string_view list = between(line, key, " }]");
  if (list.starts_with(']')) return {};  // Nothing in it; what was found is of a later list.
  std::vector<BuiltTensor> tensors;
  while (true) {
    const std::string_view name = between(list, "{ Name: ", ", ");
    if (name.empty()) return tensors;
    tensors.push_back({std::string(name), std::string(between(list, "Datatype: ", ", "))});
    const auto end = list.find("}, {");
    if (end == std::string_view::npos) return tensors;
    list.remove_prefix(end + 3);
  }
}

BuiltLayer layer_of(std::string_view line) {
  return {.name = std::string(between(line, "Name: ", ", LayerType: ")),
          .kind = std::string(between(line, ", LayerType: ", ", ")),
          .inputs = tensors_of(line, ", Inputs: ["),
          .constants = tensors_of(line, ", Constants: ["),
          .outputs = tensors_of(line, ", Outputs: ["),
          .origins = origins_in_metadata(between(line, ", Metadata: ", "\n"))};
}

}  // namespace

std::vector<BuiltLayer> read_build_log(std::string_view message) {
  const auto start = message.find(kHeading);
  if (start == std::string_view::npos) return {};
  message.remove_prefix(start + kHeading.size());
  std::vector<BuiltLayer> layers;
  while (message.starts_with("Name: ")) {
    const std::string_view line = message.substr(0, message.find('\n'));
    layers.push_back(layer_of(line));
    message.remove_prefix(std::min(line.size() + 1, message.size()));
  }
  return layers;
}

bool is_convolution(const BuiltLayer& layer) { return is_convolution(layer.kind, layer.name); }

bool is_int8_convolution(const BuiltLayer& layer) {
  const auto starts_int8 = [](const std::vector<BuiltTensor>& tensors) {
    return !tensors.empty() && tensors.front().type == "Int8";
  };
  return is_convolution(layer) && starts_int8(layer.inputs) && starts_int8(layer.constants);
}

bool computes(const BuiltLayer& layer) { return layer.kind != "signal" && layer.kind != "wait"; }

LayerInfo layer_info(const BuiltLayer& layer) {
  LayerInfo info{.name = layer.name, .kind = layer.kind, .origins = layer.origins};
  info.convolutions = is_convolution(layer) ? 1 : 0;
  // A convolution of 8-bit activations with float weights would not be one in int8.
  const bool by_weights = is_convolution(layer) && !layer.constants.empty();
  const auto& tensors = by_weights && !is_int8_convolution(layer) ? layer.constants : layer.inputs;
  if (!tensors.empty()) info.precision = precision_of(tensors.front().type);
  return info;
}

}  // namespace yoloq::runtime::tensorrt
