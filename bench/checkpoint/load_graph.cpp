// SPDX-License-Identifier: Apache-2.0
/// @file
/// How long does it take from a checkpoint file to its graph?
///
///     load_graph <rounds> <model.pt>...
///
/// Prints, per file, milliseconds of wall time (p50, p90, lowest) and of processor time (lowest).
#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "core/error.h"

namespace {

using namespace yoloq;

double processor_ms() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

double wall_ms() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double, std::milli>(now).count();
}

nlohmann::json measure(const std::string& path, int rounds) {
  std::vector<double> wall;
  std::vector<double> processor;
  std::size_t nodes = 0;
  for (int i = 0; i < rounds; ++i) {
    const double wall_before = wall_ms();
    const double processor_before = processor_ms();
    nodes = checkpoint::load_graph(path).node_count();
    wall.push_back(wall_ms() - wall_before);
    processor.push_back(processor_ms() - processor_before);
  }
  std::ranges::sort(wall);
  std::ranges::sort(processor);
  const auto quantile = [&](std::size_t percent) {
    return wall[(wall.size() - 1) * percent / 100];
  };
  return {{"file", path},
          {"nodes", nodes},
          {"wall_ms", {{"p50", quantile(50)}, {"p90", quantile(90)}, {"min", wall.front()}}},
          {"processor_ms_min", processor.front()}};
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 0;
  if (rounds < 1 || argc < 3) {
    std::fputs("usage: load_graph <rounds> <model.pt>...\n", stderr);
    return 2;
  }
  try {
    nlohmann::json results = nlohmann::json::array();
    for (int i = 2; i < argc; ++i) results.push_back(measure(argv[i], rounds));
    std::puts(results.dump(2).c_str());
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
