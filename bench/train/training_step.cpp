// SPDX-License-Identifier: Apache-2.0
// How fast is a training step (forward, loss, backward, update): of a float model, and of the same
// model fake-quantized, learning from labels or from the float model?
//
//     bench_training_step MODEL.pt PLAN.yaml [cpu|cuda] [batch size] [side]      prints JSON
//
// Rounds are interleaved, the figures are medians; "against_float" above 1 is faster than float.
#include <ATen/ATen.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/random.h"
#include "dataset/loader.h"
#include "pipeline/model.h"
#include "pipeline/plan_file.h"
#include "runtime/torch/device.h"
#include "train/detail/ranks.h"
#include "train/detail/session.h"

namespace {

using namespace yoloq;
using Clock = std::chrono::steady_clock;

constexpr int kRounds = 7;
constexpr int kSteps = 4;
constexpr int kBoxesPerImage = 5;

/// Noise: what a step costs does not depend on what images show.
dataset::Batch random_batch(const train::Recipe& recipe, int classes) {
  Random random(0, 0);
  const auto count = static_cast<std::size_t>(recipe.batch_size);
  const auto side = static_cast<std::size_t>(recipe.size.width);
  dataset::Batch batch{.count = count, .global_count = count};
  batch.images.resize(count * 3 * side * side);
  for (auto& value : batch.images) value = static_cast<std::uint8_t>(random.bits());
  for (std::size_t image = 0; image < count; ++image) {
    for (int i = 0; i < kBoxesPerImage; ++i) {
      dataset::BatchLabel label{.image = image};
      label.label.class_index = static_cast<int>(random.integer(0, classes - 1));
      label.label.x = random.uniform(0.2f, 0.8f);
      label.label.y = random.uniform(0.2f, 0.8f);
      label.label.width = random.uniform(0.05f, 0.4f);
      label.label.height = random.uniform(0.05f, 0.4f);
      batch.labels.push_back(label);
    }
  }
  return batch;
}

/// One way to train, and the speed of its rounds.
struct Way {
  std::string name;
  train::Job job;
  std::unique_ptr<train::detail::Session> session = nullptr;
  std::vector<double> speeds = {};

  void run_round(const dataset::Batch& batch) {
    constexpr train::Rates kSmall{.biases = 1e-6, .weights = 1e-6, .momentum = 0.9};
    const auto start = Clock::now();
    for (int i = 0; i < kSteps; ++i) session->step(batch, kSmall, 1e-6);
    at::zeros({1}, at::TensorOptions(runtime::torch::open_device(job.recipe.device))).item<float>();
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    speeds.push_back(static_cast<double>(batch.count) * kSteps / seconds);
  }

  double median() const {
    std::vector<double> sorted = speeds;
    std::ranges::sort(sorted);
    return sorted[sorted.size() / 2];
  }
};

std::vector<Way> ways_of(const train::Job& base, const quantize::Plan& plan) {
  train::Job frozen = base;
  frozen.plan = plan;
  train::Job labels = frozen;
  labels.recipe.learn_scales = true;
  train::Job taught = labels;
  taught.recipe.teacher = train::Teacher::float_model;
  std::vector<Way> ways;
  const auto add = [&](const char* name, const train::Job& job, bool amp = false) {
    ways.push_back({.name = name, .job = job});
    ways.back().job.recipe.amp = amp;
  };
  add("float", base);
  add("qat, labels, frozen scales", frozen);
  add("qat, labels", labels);
  add("qat, float model teaches", taught);
  if (base.recipe.device == "cpu") return ways;
  add("float, amp", base, true);
  add("qat, labels, amp", labels, true);
  return ways;
}

int run(int argc, char** argv) {
  const auto argument = [&](int index, const char* fallback) {
    return std::string(index < argc ? argv[index] : fallback);
  };
  train::Recipe recipe;
  recipe.device = argument(3, "cpu");
  recipe.batch_size = recipe.nominal_batch = std::stoi(argument(4, "8"));
  recipe.size.width = recipe.size.height = std::stoi(argument(5, "320"));
  recipe.batch_statistics = false;
  const auto model = pipeline::load_model(argv[1], {.size = recipe.size, .dynamic = true});
  train::Job base{.model = model.graph, .head = model.head};
  base.recipe = recipe;
  std::vector<Way> ways = ways_of(base, pipeline::read_plan(argv[2]));
  const dataset::Batch batch = random_batch(recipe, model.head.class_count);
  const train::detail::Ranks alone({}, {});
  for (Way& way : ways) {
    way.session = std::make_unique<train::detail::Session>(way.job, alone);
    way.run_round(batch);  // Warms caches and allocators up.
    way.speeds.clear();
  }
  for (int round = 0; round < kRounds; ++round) {
    for (Way& way : ways) way.run_round(batch);
  }
  nlohmann::ordered_json json{{"device", recipe.device},
                              {"batch_size", recipe.batch_size},
                              {"side", recipe.size.width},
                              {"rounds", kRounds}};
  for (const Way& way : ways) {
    json["ways"].push_back({{"name", way.name},
                            {"images_per_second", way.median()},
                            {"against_float", way.median() / ways.front().median()}});
  }
  std::cout << json.dump(2) << '\n';
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::cerr << "usage: bench_training_step MODEL.pt PLAN.yaml [cpu|cuda] [batch size] [side]\n";
    return 2;
  }
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
