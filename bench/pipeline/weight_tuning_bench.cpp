// SPDX-License-Identifier: Apache-2.0

/// @file
/// What does each way to choose weight codes, biases and ranges gain, and what does it cost?
///
///     bench_weight_tuning MODEL DATA_YAML [TARGET=tensorrt] [FIRST=0]           prints JSON
///
/// A row for each: how far predictions move on 48 training images that nothing was tuned on, AP on
/// 300 training images and on the val split, seconds for tuning. FIRST leaves out rows before it.

#include <algorithm>
#include <exception>
#include <filesystem>
#include <functional>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "dataset/data_yaml.h"
#include "dataset/images.h"
#include "pipeline/calibration.h"
#include "pipeline/model.h"
#include "pipeline/quantization.h"
#include "sensitivity/labelled_images.h"
#include "sensitivity/prediction_loss.h"

namespace yoloq::bench {
namespace {

namespace fs = std::filesystem;
using pipeline::QuantizationOptions;

constexpr std::size_t kLossImages = 48;
constexpr int kScales = 6;
constexpr int kSweeps = 8;

struct Way {
  const char* name;
  std::function<void(QuantizationOptions&)> set;
};

void only_round(QuantizationOptions& how) { how.tune_weights = how.bias_correction = false; }

const Way kWays[] = {
    {"weight scales by max, rounded",
     [](QuantizationOptions& how) {
       only_round(how);
       how.quantize.weight_scale = quantize::WeightScale::max;
     }},
    {"weight scales by mse, rounded", only_round},
    {"rounded, biases corrected", [](QuantizationOptions& how) { how.tune_weights = false; }},
    {"tuned", [](QuantizationOptions& how) { how.bias_correction = false; }},
    {"tuned, biases corrected (default)", [](QuantizationOptions&) {}},
    {"default, 6 weight scales", [](QuantizationOptions& how) { how.tuning.scales = kScales; }},
    {"default, coordinate descent", [](QuantizationOptions& how) { how.tuning.sweeps = kSweeps; }},
    {"default, both",
     [](QuantizationOptions& how) {
       how.tuning.scales = kScales;
       how.tuning.sweeps = kSweeps;
     }},
    {"default, ranges from a second pass",
     [](QuantizationOptions& how) { how.second_pass = true; }},
    {"default, 64 tuning images", [](QuantizationOptions& how) { how.tuning_images = 64; }},
    {"all of these",
     [](QuantizationOptions& how) {
       how.tuning.scales = kScales;
       how.tuning.sweeps = kSweeps;
       how.second_pass = true;
       how.tuning_images = 64;
     }},
};

int run(std::span<char*> words) {
  if (words.size() < 3) {
    std::cerr << "bench_weight_tuning MODEL DATA_YAML [TARGET=tensorrt] [FIRST=0]\n";
    return 2;
  }
  const dataset::Dataset data = dataset::read_data_yaml(words[2]);
  const auto model = pipeline::load_model(words[1], {.hints = {.names = data.names}});
  const auto all = dataset::list_images(data, "train");
  const auto calibration =
      pipeline::pick_images(all, all.size() - std::min(kLossImages, all.size() / 2));
  const auto held_out = pipeline::without(all, calibration);
  const auto train = sensitivity::labelled_images(data, {.split = "train"});
  const auto val = sensitivity::labelled_images(data, {.split = "val", .count = 100000});
  const std::size_t first = words.size() > 4 ? std::stoul(words[4]) : 0;

  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (const Way& way : std::span(kWays).subspan(first)) {
    QuantizationOptions how;
    if (words.size() > 3) how.quantize.target = words[3];
    way.set(how);
    const auto made = pipeline::quantize_model(model, calibration, how);
    rows.push_back({{"name", way.name},
                    {"loss_percent",
                     sensitivity::prediction_losses(model, {&made.graph, 1}, held_out).front()},
                    {"ap_train", sensitivity::ap_of(model, made.graph, train, {})},
                    {"ap_val", sensitivity::ap_of(model, made.graph, val, {})},
                    {"tuning_seconds", made.tuning_seconds}});
    std::cerr << rows.back().dump() << '\n';
  }
  std::cout << rows.dump(2) << '\n';
  return 0;
}

}  // namespace
}  // namespace yoloq::bench

int main(int argc, char** argv) {
  try {
    return yoloq::bench::run({argv, static_cast<std::size_t>(argc)});
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
