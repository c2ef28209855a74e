// SPDX-License-Identifier: Apache-2.0
#include "runtime/tensorrt/inspector.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string>

#include "core/error.h"

namespace yoloq::runtime::tensorrt {

namespace {

using Json = nlohmann::json;

struct PrecisionRow {
  std::string_view word;  ///< In TensorRT's description of a format.
  std::string_view precision;
};

constexpr std::array kPrecisions{
    PrecisionRow{"Int8", "i8"},   PrecisionRow{"BF16", "bf16"}, PrecisionRow{"BFloat16", "bf16"},
    PrecisionRow{"FP16", "f16"},  PrecisionRow{"Half", "f16"},  PrecisionRow{"FP32", "f32"},
    PrecisionRow{"Float", "f32"}, PrecisionRow{"FP8", "f8"},    PrecisionRow{"Int32", "i32"},
    PrecisionRow{"Int64", "i64"}, PrecisionRow{"Bool", "bool"}, PrecisionRow{"UInt8", "u8"},
};

std::string text_of(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

/// How the first input or output lies in memory: in one field, or in two.
std::string first_format(const Json& layer, const char* ports) {
  const auto list = layer.find(ports);
  if (list == layer.end() || !list->is_array() || list->empty()) return "";
  const Json& port = list->front();
  const std::string type = text_of(port, "Datatype");
  if (type.empty()) return text_of(port, "Format/Datatype");
  return type + ", " + text_of(port, "Format");
}

void add_unless_there(std::vector<std::string>& names, std::string name) {
  if (!name.empty() && std::ranges::find(names, name) == names.end()) {
    names.push_back(std::move(name));
  }
}

/// A part of a joined name without "PWN(" before and ")" behind it.
std::string bare(std::string_view part) {
  for (const std::string_view wrapper : {"PWN(", "[PWN] "}) {
    while (part.starts_with(wrapper)) part.remove_prefix(wrapper.size());
  }
  const auto balance = [&] {
    return std::ranges::count(part, '(') - std::ranges::count(part, ')');
  };
  while (part.ends_with(')') && balance() < 0) part.remove_suffix(1);
  return std::string(part);
}

std::vector<std::string> origins_in_name(std::string_view name) {
  std::vector<std::string> names;
  while (!name.empty()) {
    std::size_t end = name.size();
    std::size_t next = name.size();
    for (const std::string_view joint : {" + ", " || ", ", "}) {
      const auto at = name.find(joint);
      if (at >= end) continue;
      end = at;
      next = at + joint.size();
    }
    add_unless_there(names, bare(name.substr(0, end)));
    name.remove_prefix(next);
  }
  return names;
}

int occurrences(std::string_view text, std::string_view part) {
  int count = 0;
  for (auto at = text.find(part); at != std::string_view::npos;
       at = text.find(part, at + part.size())) {
    ++count;
  }
  return count;
}

LayerInfo layer_of(const Json& json) {
  if (json.is_string()) {
    const auto name = json.get<std::string>();
    return {.name = name, .origins = origins_in_name(name)};
  }
  const std::string parameters = text_of(json, "ParameterType");
  LayerInfo layer{.name = text_of(json, "Name"),
                  .kind = parameters == "Convolution" ? parameters : text_of(json, "LayerType"),
                  .kernel = text_of(json, "TacticName"),
                  .format = first_format(json, "Outputs"),
                  .origins = origins_in_metadata(text_of(json, "Metadata"))};
  layer.precision = precision_of(first_format(json, "Inputs"));
  if (layer.origins.empty()) layer.origins = origins_in_name(layer.name);
  if (is_convolution(layer.kind, layer.name)) {
    layer.convolutions = 1 + occurrences(layer.name, " || ");
  }
  return layer;
}

}  // namespace

std::string precision_of(std::string_view format) {
  for (const PrecisionRow& row : kPrecisions) {
    if (format.find(row.word) != std::string_view::npos) return std::string(row.precision);
  }
  return std::string(format);
}

std::vector<std::string> origins_in_metadata(std::string_view metadata) {
  constexpr std::string_view kOpen = "[ONNX Layer: ";
  std::vector<std::string> names;
  for (auto start = metadata.find(kOpen); start != std::string_view::npos;
       start = metadata.find(kOpen, start)) {
    start += kOpen.size();
    const auto end = metadata.find(']', start);
    if (end == std::string_view::npos) break;
    add_unless_there(names, std::string(metadata.substr(start, end - start)));
  }
  return names;
}

bool is_convolution(std::string_view kind, std::string_view name) {
  const auto has = [name](std::string_view part) { return name.find(part) != name.npos; };
  if (kind == "runtime_fusion") return has("_Corr") || has("_Fc");
  return kind == "correlation" || kind.find("Convolution") != std::string_view::npos;
}

std::vector<LayerInfo> read_layers(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  const auto layers = json.is_object() ? json.find("Layers") : json.end();
  if (layers == json.end() || !layers->is_array()) {
    fail(ErrorCode::corrupt_file, "this is no layer information of TensorRT: '{}'",
         text.substr(0, 60));
  }
  std::vector<LayerInfo> table;
  for (const Json& layer : *layers) table.push_back(layer_of(layer));
  return table;
}

}  // namespace yoloq::runtime::tensorrt
