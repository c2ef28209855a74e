// SPDX-License-Identifier: Apache-2.0

/// @file
/// What does calibrating on images cost, beside the bare forward of the same engine on as many?
///
///     bench_calibration MODEL IMAGE_LIST [IMAGES=128] [ROUNDS=3] [THREADS=0]      prints JSON
///
/// Both run in turn, round by round. Calibration is the whole pass: read and hash files, decode
/// JPEG, letterbox, infer, take statistics. The bare forward fills its input once. Processor time
/// is what to look at on a machine that does other work.

#include <algorithm>
#include <chrono>
#include <ctime>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "pipeline/calibration.h"
#include "pipeline/model.h"
#include "quantize/quantize.h"
#include "runtime/engine.h"
#include "runtime/measure.h"

namespace yoloq::bench {
namespace {

namespace fs = std::filesystem;

struct Cost {
  double seconds = 0;
  double cpu_seconds = 0;
};

double cpu_seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

template <typename Work>
Cost cost_of(const Work& work) {
  const auto start = std::chrono::steady_clock::now();
  const double cpu_start = cpu_seconds();
  work();
  return {std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(),
          cpu_seconds() - cpu_start};
}

/// One path per line, relative to the list's folder.
std::vector<fs::path> read_list(const fs::path& list, std::size_t count) {
  std::vector<fs::path> images;
  std::ifstream lines(list);
  for (std::string line; images.size() < count && std::getline(lines, line);) {
    images.push_back(list.parent_path() / line);
  }
  return images;
}

double median(std::vector<double> values) { return runtime::percentile(std::move(values), 0.5); }

struct Arguments {
  fs::path model;
  fs::path list;
  std::size_t images = 128;
  int rounds = 3;
  int threads = 0;
};

nlohmann::json run(const Arguments& arguments) {
  const auto model = pipeline::load_model(arguments.model);
  const auto images = read_list(arguments.list, arguments.images);
  const auto tensors = quantize::observed_tensors(quantize::settle(model.graph, {}));
  const auto engine = runtime::compile(model.fixed, {.threads = arguments.threads});
  const auto inputs = runtime::random_inputs(*engine);
  const runtime::MeasureOptions once{
      .warm_up_runs = 1, .seconds = 0, .runs = static_cast<std::int64_t>(images.size())};
  const Cost compilation =
      cost_of([&] { runtime::compile(model.fixed, {.threads = arguments.threads}); });
  pipeline::CalibrationOptions options{
      .size = model.size, .threads = arguments.threads, .classes = model.head.class_count};
  for (const std::size_t index : model.head.indices) {
    options.heads.push_back(model.fixed.outputs[index].name);
  }

  nlohmann::json rounds = nlohmann::json::array();
  std::vector<double> wall;
  std::vector<double> cpu;
  for (int round = 0; round < arguments.rounds; ++round) {
    const auto bare = runtime::measure_throughput(*engine, inputs, once);
    const double n = static_cast<double>(images.size());
    const Cost forward{n / bare.images_per_second, n / bare.images_per_cpu_second};
    const Cost calibration =
        cost_of([&] { pipeline::calibrate_model(model.fixed, tensors, images, options); });
    wall.push_back(calibration.seconds / forward.seconds);
    cpu.push_back(calibration.cpu_seconds / forward.cpu_seconds);
    rounds.push_back({{"forward_seconds", forward.seconds},
                      {"forward_cpu_seconds", forward.cpu_seconds},
                      {"calibration_seconds", calibration.seconds},
                      {"calibration_cpu_seconds", calibration.cpu_seconds}});
  }
  return {{"images", images.size()},         {"tensors", tensors.size()},
          {"engine", engine->description()}, {"ratio", median(wall)},
          {"cpu_ratio", median(cpu)},        {"compilation_cpu_seconds", compilation.cpu_seconds},
          {"rounds", std::move(rounds)}};
}

}  // namespace
}  // namespace yoloq::bench

int main(int count, char** values) try {
  if (count < 3 || count > 6) {
    std::cerr << "usage: bench_calibration MODEL IMAGE_LIST [IMAGES [ROUNDS [THREADS]]]\n";
    return 2;
  }
  yoloq::bench::Arguments arguments{.model = values[1], .list = values[2]};
  if (count > 3) arguments.images = std::stoul(values[3]);
  if (count > 4) arguments.rounds = std::stoi(values[4]);
  if (count > 5) arguments.threads = std::stoi(values[5]);
  std::cout << yoloq::bench::run(arguments).dump(2) << "\n";
  return 0;
} catch (const std::exception& error) {
  std::cerr << error.what() << "\n";
  return 1;
}
