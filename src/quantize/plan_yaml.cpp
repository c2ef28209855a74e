// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <set>

#include "core/error.h"
#include "quantize/keep_float.h"
#include "quantize/plan.h"

namespace yoloq::quantize {

namespace {

constexpr int kFormat = 1;
constexpr const char* kNearest = "nearest";
constexpr const char* kStored = "stored";

constexpr std::string_view kHead =
    "# How a float model becomes an 8-bit one. Made to be edited: switch a layer to fp32 or fp16, "
    "an\n"
    "# activation or weight to 'on: false', change a scale; then: yoloq quantize --plan <this "
    "file>.\n";

/// The shortest text that reads back as the same float.
std::string exact(float value) { return fmt::format("{}", value); }

void emit_floats(YAML::Emitter& out, const std::vector<float>& values) {
  out << YAML::Flow << YAML::BeginSeq;
  for (const float value : values) out << exact(value);
  out << YAML::EndSeq;
}

void emit(YAML::Emitter& out, const LayerPlan& layer) {
  out << YAML::Flow << YAML::BeginMap;
  out << YAML::Key << "id" << YAML::Value << layer.id;
  out << YAML::Key << "name" << YAML::Value << layer.name;
  out << YAML::Key << "precision" << YAML::Value << std::string(name_of(layer.precision));
  out << YAML::Key << "why" << YAML::Value << layer.why << YAML::EndMap;
}

void emit(YAML::Emitter& out, const ActivationPlan& activation) {
  out << YAML::BeginMap;
  out << YAML::Key << "tensor" << YAML::Value << activation.tensor;
  out << YAML::Key << "on" << YAML::Value << activation.on;
  out << YAML::Key << "dtype" << YAML::Value << std::string(name_of(activation.quantizer.dtype));
  out << YAML::Key << "scale" << YAML::Value << exact(activation.quantizer.scale);
  out << YAML::Key << "zero_point" << YAML::Value << activation.quantizer.zero_point;
  out << YAML::Key << "why" << YAML::Value << activation.why;
  out << YAML::Key << "readers" << YAML::Value << YAML::Flow << activation.readers << YAML::EndMap;
}

void emit(YAML::Emitter& out, const WeightPlan& weight) {
  out << YAML::BeginMap;
  out << YAML::Key << "tensor" << YAML::Value << weight.tensor;
  out << YAML::Key << "layer" << YAML::Value << weight.layer;
  out << YAML::Key << "on" << YAML::Value << weight.on;
  out << YAML::Key << "axis" << YAML::Value << weight.axis;
  out << YAML::Key << "top_code" << YAML::Value << weight.top_code;
  out << YAML::Key << "why" << YAML::Value << weight.why;
  out << YAML::Key << "codes" << YAML::Value << (weight.codes ? kStored : kNearest);
  out << YAML::Key << "scales" << YAML::Value;
  emit_floats(out, weight.scales);
  out << YAML::Key << "bias_shift" << YAML::Value;
  emit_floats(out, weight.bias_shift);
  out << YAML::EndMap;
}

void emit(YAML::Emitter& out, const Fp32Node& node) {
  out << YAML::Flow << YAML::BeginMap;
  out << YAML::Key << "name" << YAML::Value << node.name;
  out << YAML::Key << "why" << YAML::Value << node.why << YAML::EndMap;
}

template <typename Row>
void emit_list(YAML::Emitter& out, const char* key, const std::vector<Row>& rows) {
  out << YAML::Key << key << YAML::Value << YAML::BeginSeq;
  for (const Row& row : rows) emit(out, row);
  out << YAML::EndSeq;
}

[[noreturn]] void refuse(const YAML::Mark& mark, std::string_view what) {
  fail(ErrorCode::corrupt_file, "plan, line {}: {}", mark.line + 1, what);
}

template <typename T>
T get(const YAML::Node& map, const char* key) {
  if (!map.IsMap()) refuse(map.Mark(), "expected a map");
  const YAML::Node value = map[key];
  if (!value) refuse(map.Mark(), fmt::format("'{}' is missing", key));
  try {
    return value.as<T>();
  } catch (const YAML::Exception&) {
    refuse(value.Mark(), fmt::format("'{}' is not of the type expected", key));
  }
}

float scale_of(const YAML::Node& node, float value) {
  if (std::isfinite(value) && value > 0.0f) return value;
  refuse(node.Mark(), fmt::format("a scale is above zero and finite, not {}", value));
}

LayerPlan layer_from(const YAML::Node& node) {
  return {.id = get<int>(node, "id"),
          .name = get<std::string>(node, "name"),
          .precision = precision_named(get<std::string>(node, "precision")),
          .why = get<std::string>(node, "why")};
}

DType activation_type(const YAML::Node& node) {
  const auto name = get<std::string>(node, "dtype");
  if (name == name_of(DType::i8)) return DType::i8;
  if (name == name_of(DType::u8)) return DType::u8;
  refuse(node.Mark(), fmt::format("dtype '{}' is neither int8 nor uint8", name));
}

ActivationPlan activation_from(const YAML::Node& node) {
  const Quantizer quantizer{.dtype = activation_type(node),
                            .scale = scale_of(node, get<float>(node, "scale")),
                            .zero_point = get<int>(node, "zero_point")};
  const auto [low, high] = code_limits(quantizer.dtype);
  if (quantizer.zero_point < low || quantizer.zero_point > high) {
    refuse(node.Mark(),
           fmt::format("zero point {} is outside {}..{}", quantizer.zero_point, low, high));
  }
  return {.tensor = get<std::string>(node, "tensor"),
          .on = get<bool>(node, "on"),
          .quantizer = quantizer,
          .why = get<std::string>(node, "why"),
          .readers = get<std::vector<std::string>>(node, "readers")};
}

std::optional<Tensor> codes_from(const YAML::Node& node, const Codes& codes) {
  const auto said = get<std::string>(node, "codes");
  if (said == kNearest) return std::nullopt;
  if (said != kStored) refuse(node.Mark(), "'codes' is nearest or stored");
  const auto found = codes.find(get<std::string>(node, "layer"));
  if (found != codes.end()) return found->second;
  refuse(node.Mark(), fmt::format("the stored codes of '{}' are not there: the file with them "
                                  "belongs beside the plan",
                                  get<std::string>(node, "layer")));
}

/// Plans that were written before there was a choice lack it.
int top_code_from(const YAML::Node& node) {
  if (!node["top_code"]) return kTopCode;
  const int top_code = get<int>(node, "top_code");
  if (top_code >= 1 && top_code <= kTopCode) return top_code;
  refuse(node.Mark(), fmt::format("top_code {} is outside 1..{}", top_code, kTopCode));
}

/// Stored codes must keep the limit that the plan promises.
void check_codes(const YAML::Node& node, const WeightPlan& weight) {
  if (!weight.codes || weight.codes->dtype() != DType::i8) return;  // apply() names a wrong type.
  for (const int code : weight.codes->values<std::int8_t>()) {
    if (std::abs(code) <= weight.top_code) continue;
    refuse(node.Mark(), fmt::format("a stored code of '{}' is {}, top_code says {} at most",
                                    weight.layer, code, weight.top_code));
  }
}

WeightPlan weight_from(const YAML::Node& node, const Codes& codes) {
  WeightPlan weight{.tensor = get<std::string>(node, "tensor"),
                    .layer = get<std::string>(node, "layer"),
                    .on = get<bool>(node, "on"),
                    .axis = get<int>(node, "axis"),
                    .top_code = top_code_from(node),
                    .scales = get<std::vector<float>>(node, "scales"),
                    .bias_shift = get<std::vector<float>>(node, "bias_shift"),
                    .codes = codes_from(node, codes),
                    .why = get<std::string>(node, "why")};
  for (const float scale : weight.scales) scale_of(node, scale);
  for (const float shift : weight.bias_shift) {
    if (!std::isfinite(shift)) refuse(node.Mark(), fmt::format("a bias_shift is {}", shift));
  }
  if (weight.axis != 0 && weight.axis != -1) refuse(node.Mark(), "axis is 0 or -1");
  check_codes(node, weight);
  return weight;
}

template <typename Read>
auto list_from(const YAML::Node& root, const char* key, Read read) {
  std::vector<decltype(read(root))> rows;
  const YAML::Node list = root[key];
  if (!list || !list.IsSequence()) refuse(root.Mark(), fmt::format("list '{}' is missing", key));
  for (const YAML::Node& node : list) rows.push_back(read(node));
  return rows;
}

Precision float_type_from(const YAML::Node& root) {
  if (!root["float_type"]) return Precision::fp32;
  return float_type_named(get<std::string>(root, "float_type"));
}

Fp32Node fp32_node_from(const YAML::Node& node) {
  return {.name = get<std::string>(node, "name"), .why = get<std::string>(node, "why")};
}

std::vector<Fp32Node> fp32_nodes_from(const YAML::Node& root) {
  if (!root["fp32_nodes"]) return {};
  return list_from(root, "fp32_nodes", fp32_node_from);
}

/// Names of which a plan may list each once.
class Listed {
 public:
  explicit Listed(std::string_view kind) : kind_(kind) {}

  void add(const YAML::Node& row, const std::string& name) {
    if (names_.insert(name).second) return;
    refuse(row.Mark(), fmt::format("{} '{}' is listed twice", kind_, name));
  }

 private:
  std::string_view kind_;
  std::set<std::string> names_;
};

void refuse_repeats(const YAML::Node& root, const Plan& plan) {
  Listed layers("layer");
  Listed tensors("tensor");
  Listed readers("reader");
  Listed weights("the weight of layer");
  for (std::size_t i = 0; i < plan.layers.size(); ++i) {
    layers.add(root["layers"][i], plan.layers[i].name);
  }
  for (std::size_t i = 0; i < plan.activations.size(); ++i) {
    const YAML::Node row = root["activations"][i];
    tensors.add(row, plan.activations[i].tensor);
    for (const std::string& reader : plan.activations[i].readers) readers.add(row, reader);
  }
  for (std::size_t i = 0; i < plan.weights.size(); ++i) {
    weights.add(root["weights"][i], plan.weights[i].layer);
  }
}

/// Precisions are edited, and the rows of a layer's quantizers stay behind.
void follow_precisions(const YAML::Node& root, Plan& plan) {
  for (std::size_t i = 0; i < plan.layers.size(); ++i) {
    const LayerPlan& layer = plan.layers[i];
    if (layer.precision != Precision::int8) {
      drop_quantizers_of(plan, layer.name);
    } else if (std::ranges::find(plan.weights, layer.name, &WeightPlan::layer) ==
               plan.weights.end()) {
      refuse(root["layers"][i].Mark(),
             fmt::format("layer '{}' is int8, but 'weights' has no row for it: make a plan that "
                         "quantizes it, or say fp32 or fp16",
                         layer.name));
    }
  }
}

Plan plan_from(const YAML::Node& root, const Codes& codes) {
  if (!root.IsMap()) refuse(root.Mark(), "expected a map at the top");
  if (get<int>(root, "format") != kFormat) {
    refuse(root.Mark(), fmt::format("only format {} is known", kFormat));
  }
  Plan plan{.target = get<std::string>(root, "target"),
            .float_type = float_type_from(root),
            .provenance = get<std::map<std::string, std::string>>(root, "provenance"),
            .layers = list_from(root, "layers", layer_from),
            .activations = list_from(root, "activations", activation_from),
            .weights = list_from(root, "weights",
                                 [&](const YAML::Node& node) { return weight_from(node, codes); }),
            .fp32_nodes = fp32_nodes_from(root)};
  refuse_repeats(root, plan);
  follow_precisions(root, plan);
  return plan;
}

}  // namespace

std::string to_yaml(const Plan& plan) {
  YAML::Emitter out;
  out << YAML::BeginMap;
  out << YAML::Key << "format" << YAML::Value << kFormat;
  out << YAML::Key << "target" << YAML::Value << plan.target;
  const bool half = plan.float_type == Precision::fp16;  // Plans of before this key have none.
  if (half) out << YAML::Key << "float_type" << YAML::Value << "fp16";
  out << YAML::Key << "provenance" << YAML::Value << plan.provenance;
  emit_list(out, "layers", plan.layers);
  emit_list(out, "activations", plan.activations);
  emit_list(out, "weights", plan.weights);
  if (half) emit_list(out, "fp32_nodes", plan.fp32_nodes);
  out << YAML::EndMap;
  return std::string(kHead) + out.c_str() + "\n";
}

Codes stored_codes(const Plan& plan) {
  Codes codes;
  for (const WeightPlan& weight : plan.weights) {
    if (weight.codes) codes[weight.layer] = *weight.codes;
  }
  return codes;
}

Plan parse_plan(std::string_view yaml, const Codes& codes) {
  try {
    return plan_from(YAML::Load(std::string(yaml)), codes);
  } catch (const YAML::Exception& error) {
    refuse(error.mark, error.msg);
  }
}

}  // namespace yoloq::quantize
