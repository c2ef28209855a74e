// SPDX-License-Identifier: Apache-2.0
#include "train/detail/progress.h"

#include <nlohmann/json.hpp>
#include <sstream>
#include <string_view>

#include "core/error.h"
#include "core/hash.h"
#include "onnx/model_file.h"
#include "pipeline/training_checkpoint.h"
#include "quantize/plan.h"

namespace yoloq::train::detail {

namespace {

using Json = nlohmann::ordered_json;

/// What two runs must have in common for one to go on where the other was.
Json recipe_json(const Job& job) {
  const Recipe& recipe = job.recipe;
  return {{"model", hash_of(onnx::serialize(job.model))},
          {"plan", job.plan ? hash_of(quantize::to_yaml(*job.plan)) : ""},
          {"epochs", recipe.epochs},
          {"batch_size", recipe.batch_size},
          {"nominal_batch", recipe.nominal_batch},
          {"side", recipe.size.width},
          {"seed", recipe.seed},
          {"teacher", recipe.teacher == Teacher::labels ? "labels" : "float model"},
          {"feature_gain", recipe.feature_gain},
          {"optimizer", recipe.method == Method::sgd ? "sgd" : "adamw"},
          {"augment", recipe.augment},
          {"cosine", recipe.cosine},
          {"amp", recipe.amp},
          {"batch_statistics", recipe.batch_statistics},
          {"learn_scales", recipe.learn_scales},
          {"range_momentum", recipe.range_momentum},
          {"scale_lr", recipe.scale_lr},
          {"clip_norm", recipe.clip_norm},
          {"average_decay", recipe.average_decay},
          {"average_steps", recipe.average_steps}};
}

void require_equal(const Json& mine, const Json& stored, std::string_view what) {
  if (mine == stored) return;
  fail(ErrorCode::bad_argument, "training cannot go on with another {}: it was {}, now it is {}",
       what, stored.dump(), mine.dump());
}

/// Line by line, as each is a key and its value.
void require_equal_hyp(const std::string& mine, const std::string& stored) {
  std::istringstream left(mine);
  std::istringstream right(stored);
  std::string here;
  std::string there;
  while (std::getline(left, here)) {
    std::getline(right, there);
    if (here != there) require_equal(here, there, "hyper-parameter");
  }
}

}  // namespace

std::string training_json(const Job& job, const std::string& data, const Progress& progress) {
  const Json json{{"epochs_done", progress.epochs_done}, {"best_ap", progress.best_ap},
                  {"best_epoch", progress.best_epoch},   {"threads", progress.threads},
                  {"recipe", recipe_json(job)},          {"hyp", dataset::to_yaml(job.hyp)},
                  {"images", job.images.size()},         {"data", data}};
  return json.dump();
}

Progress read_progress(const Job& job, const std::string& data, const std::string& text) {
  try {
    const Json json = Json::parse(text);
    const Json mine = recipe_json(job);
    for (const auto& [key, value] : mine.items()) {
      require_equal(value, json.at("recipe").value(key, Json()), key);
    }
    require_equal_hyp(dataset::to_yaml(job.hyp), json.at("hyp"));
    require_equal(job.images.size(), json.at("images"), "number of images");
    require_equal(data, json.at("data"), "set of images and labels");
    return {json.at("epochs_done"), json.at("best_ap"), json.at("best_epoch"), json.at("threads")};
  } catch (const Json::exception& error) {
    fail(ErrorCode::corrupt_file, "the checkpoint does not say how far training was: {}",
         error.what());
  }
}

std::string fingerprint(const Job& job, const std::string& data) {
  Hasher hasher;
  hasher.add(pipeline::serialize({.model = job.model, .plan = job.plan, .state = {}}));
  hasher.add(training_json(job, data, {}));
  return hasher.hex();
}

}  // namespace yoloq::train::detail
