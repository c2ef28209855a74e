// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "core/error.h"
#include "core/file.h"
#include "sensitivity/profile.h"

namespace yoloq::sensitivity {

using Json = nlohmann::ordered_json;

namespace {

constexpr int kVersion = 1;
constexpr const char* kFormat = "yoloq sensitivity";

/// The field `key` as T.
template <typename T>
T field(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end()) fail(ErrorCode::corrupt_file, "it has no field '{}'", key);
  try {
    return found->get<T>();
  } catch (const Json::exception&) {
    fail(ErrorCode::corrupt_file, "its field '{}' is of the wrong type", key);
  }
}

LayerCost layer_of(const Json& row) {
  if (!row.is_object()) fail(ErrorCode::corrupt_file, "a row of 'layers' is no object");
  LayerCost layer{.id = field<int>(row, "id"),
                  .name = field<std::string>(row, "name"),
                  .cost = field<double>(row, "cost")};
  if (row.contains("draws")) layer.draws = field<std::vector<double>>(row, "draws");
  return layer;
}

/// @throws Error(corrupt_file) if a layer comes twice or draws differ in number.
void check_layers(const Profile& profile) {
  if (profile.layers.empty()) fail(ErrorCode::corrupt_file, "it has no layer");
  std::set<int> ids;
  for (const LayerCost& layer : profile.layers) {
    if (!ids.insert(layer.id).second) {
      fail(ErrorCode::corrupt_file, "layer {} comes twice", layer.id);
    }
    if (layer.draws.size() != profile.layers.front().draws.size()) {
      fail(ErrorCode::corrupt_file, "layer {} has {} draws, the first one {}", layer.id,
           layer.draws.size(), profile.layers.front().draws.size());
    }
  }
}

Profile from_json(const Json& json) {
  if (!json.is_object() || field<std::string>(json, "format") != kFormat) {
    fail(ErrorCode::corrupt_file, "it is not what 'yoloq sensitivity' writes");
  }
  if (const int version = field<int>(json, "version"); version != kVersion) {
    fail(ErrorCode::unsupported, "it has version {}, this program reads version {}", version,
         kVersion);
  }
  Profile profile{.method = field<std::string>(json, "method"),
                  .unit = field<std::string>(json, "unit"),
                  .model = field<std::string>(json, "model"),
                  .model_hash = field<std::string>(json, "model_hash"),
                  .plan_hash = field<std::string>(json, "plan_hash"),
                  .images_hash = field<std::string>(json, "images_hash"),
                  .labels_hash = field<std::string>(json, "labels_hash"),
                  .images = field<std::size_t>(json, "images")};
  if (json.contains("backend")) profile.backend = field<std::string>(json, "backend");
  for (const Json& row : field<Json>(json, "layers")) profile.layers.push_back(layer_of(row));
  check_layers(profile);
  put_most_sensitive_first(profile);
  return profile;
}

}  // namespace

std::string to_json(const Profile& profile) {
  Json json{{"format", kFormat},
            {"version", kVersion},
            {"method", profile.method},
            {"unit", profile.unit},
            {"backend", profile.backend},
            {"model", profile.model},
            {"model_hash", profile.model_hash},
            {"plan_hash", profile.plan_hash},
            {"images", profile.images},
            {"images_hash", profile.images_hash},
            {"labels_hash", profile.labels_hash},
            {"layers", Json::array()}};
  for (const LayerCost& layer : profile.layers) {
    if (!std::isfinite(layer.cost)) {
      fail(ErrorCode::bad_value, "the cost of layer '{}' is {}", layer.name, layer.cost);
    }
    Json row{{"id", layer.id}, {"name", layer.name}, {"cost", layer.cost}};
    if (!layer.draws.empty()) row["draws"] = layer.draws;
    json["layers"].push_back(std::move(row));
  }
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Profile parse_profile(std::string_view text) {
  try {
    return from_json(Json::parse(text));
  } catch (const Json::parse_error& error) {
    fail(ErrorCode::corrupt_file, "it is no JSON: {}", error.what());
  }
}

Profile read_profile(const std::filesystem::path& path) {
  const std::string text = read_file(path);
  try {
    return parse_profile(text);
  } catch (const Error& error) {
    throw error.within(path.string());
  }
}

}  // namespace yoloq::sensitivity
