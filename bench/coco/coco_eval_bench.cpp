// SPDX-License-Identifier: Apache-2.0
// How long does a COCO evaluation take, from two files to twelve figures?
//
//     coco_eval_bench annotations.json detections.json
#include <chrono>
#include <cstdio>
#include <ctime>
#include <exception>
#include <fstream>
#include <string>

#include "coco/evaluate.h"

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Of this program alone: getrusage would count the process that started it as well.
double peak_rss_mb() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stod(line.substr(6)) / 1024.0;
  }
  return 0.0;
}

double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

int run(const char* annotations_path, const char* detections_path) {
  using namespace yoloq::coco;
  const double start_cpu = cpu_seconds();
  const auto start = Clock::now();
  const Annotations annotations = read_annotations(annotations_path);
  const double load_annotations_s = seconds_since(start);
  const std::vector<Detection> detections = read_detections(detections_path);
  const double load_s = seconds_since(start);

  const auto matching = Clock::now();
  const Matches matches = match(annotations, detections);
  const double match_s = seconds_since(matching);
  const Metrics metrics = accumulate(matches);
  const double evaluate_s = seconds_since(matching);

  const double cpu_s = cpu_seconds() - start_cpu;

  std::printf("{\"load_s\": %.6f, \"load_annotations_s\": %.6f, ", load_s, load_annotations_s);
  std::printf("\"evaluate_s\": %.6f, \"match_s\": %.6f, \"cpu_s\": %.6f, ", evaluate_s, match_s,
              cpu_s);
  std::printf("\"detections\": %zu, \"detections_per_s\": %.0f, \"peak_rss_mb\": %.1f, ",
              detections.size(), static_cast<double>(detections.size()) / (load_s + evaluate_s),
              peak_rss_mb());
  std::printf("\"stats\": [");
  for (std::size_t i = 0; i < metrics.figures.size(); ++i) {
    std::printf("%s%.17g", i == 0 ? "" : ", ", metrics.figures[i]);
  }
  std::printf("]}\n");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: %s annotations.json detections.json\n", argv[0]);
    return 2;
  }
  try {
    return run(argv[1], argv[2]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
