// SPDX-License-Identifier: Apache-2.0
/// @file
/// How long does it take from a head's numbers to boxes, on one thread, with the settings that
/// measure AP (confidence 0.001, every label, 300 boxes)?
///
///     post_process <model.pt or .onnx> <folder of images> [images] [rounds]
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "dataset/images.h"
#include "detect/detect.h"
#include "onnx/model_file.h"
#include "runtime/engine.h"
#include "vision/image.h"
#include "vision/letterbox.h"

namespace {

using namespace yoloq;

constexpr vision::Size kCanvas{640, 640};

/// What a model said of one image.
struct Sample {
  std::vector<std::vector<float>> values;  ///< Per output of the head.
  std::vector<detect::HeadOutput> outputs;
  vision::Placement placement;
};

double processor_ms() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

std::vector<Sample> sample(const graph::Graph& graph, const detect::Head& head,
                           std::span<const std::filesystem::path> images) {
  const auto engine = runtime::compile(graph, {.mode = runtime::Mode::latency});
  const auto request = engine->make_request();
  std::vector<Sample> samples;
  for (const auto& path : images) {
    Sample& sample = samples.emplace_back();
    const auto input = request->input(0, {1, 3, kCanvas.height, kCanvas.width}).values<float>();
    sample.placement = vision::letterbox_into(input, vision::read_image(path), {.size = kCanvas});
    request->run();
    for (const std::size_t index : head.indices) {
      const auto output = request->output(index);
      const auto values = output.values<float>();
      sample.values.emplace_back(values.begin(), values.end());
      sample.outputs.push_back({.shape = output.shape, .values = sample.values.back()});
    }
  }
  return samples;
}

/// Milliseconds of processor time per image of the fastest round.
template <typename Step>
double fastest(int rounds, std::span<const Sample> samples, const Step& step) {
  double best = 1e300;
  for (int round = 0; round < rounds; ++round) {
    const double start = processor_ms();
    for (const Sample& sample : samples) step(sample);
    best = std::min(best, (processor_ms() - start) / static_cast<double>(samples.size()));
  }
  return best;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: %s <model> <folder of images> [images] [rounds]\n", argv[0]);
    return 2;
  }
  const std::filesystem::path path = argv[1];
  const graph::Graph graph =
      path.extension() == ".pt" ? checkpoint::load_graph(path) : onnx::read_model(path);
  const detect::Head head = detect::find_head(graph);
  auto images = dataset::list_images(std::filesystem::path(argv[2]));
  images.resize(std::min<std::size_t>(images.size(), argc > 3 ? std::atoi(argv[3]) : 20));
  const int rounds = argc > 4 ? std::atoi(argv[4]) : 10;
  const std::vector<Sample> samples = sample(graph, head, images);

  const auto decoded = [&](const Sample& sample) {
    return detect::decode(head, {.outputs = sample.outputs, .canvas = kCanvas});
  };
  std::size_t candidates = 0;
  std::size_t boxes = 0;
  for (const Sample& sample : samples) {
    candidates += decoded(sample).size();
    boxes += detect::suppress(decoded(sample)).size();
  }
  nlohmann::json report;
  report["images"] = samples.size();
  report["candidates_per_image"] = candidates / samples.size();
  report["boxes_per_image"] = boxes / samples.size();
  report["decode_ms"] = fastest(rounds, samples, decoded);
  report["detect_ms"] = fastest(rounds, samples, [&](const Sample& sample) {
    return detect::detect(head, {.outputs = sample.outputs, .canvas = kCanvas}, sample.placement);
  });
  std::puts(report.dump(2).c_str());
  return 0;
}
