// SPDX-License-Identifier: Apache-2.0
// Which threads, streams and float type are fastest for a model on this machine?
//
//     bench_engine_modes model.onnx|model.pt      prints JSON
//
// Each row is run in turn with the first one; "speed" above 1 is faster than that, per image.
#include <unistd.h>

#include <chrono>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "core/error.h"
#include "onnx/model_file.h"
#include "runtime/engine.h"
#include "runtime/measure.h"
#include "runtime/verify.h"

namespace {

using namespace yoloq;
using namespace yoloq::runtime;

struct Row {
  const char* name;
  EngineOptions options;
};

double seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Memory of this process in MB: what is resident now.
double resident_mb() {
  std::size_t total = 0;
  std::size_t resident = 0;
  std::ifstream("/proc/self/statm") >> total >> resident;
  return static_cast<double>(resident) * static_cast<double>(::sysconf(_SC_PAGESIZE)) / 1e6;
}

std::vector<Row> rows(int threads) {
  const auto latency = [](int count) {
    return EngineOptions{.mode = Mode::latency, .threads = count};
  };
  return {
      {"latency, all threads", latency(threads)},
      {"latency, 1 thread", latency(1)},
      {"throughput, 1 stream, 1 thread", {.threads = 1}},
      {"throughput, a stream per thread", {.threads = threads}},
      {"throughput, a stream per thread, bf16",
       {.float_type = FloatType::bf16, .threads = threads}},
  };
}

graph::Graph read_graph(const std::filesystem::path& path) {
  return path.extension() == ".pt" ? checkpoint::load_graph(path) : onnx::read_model(path);
}

nlohmann::json measure(const Row& row, const graph::Graph& graph, Engine& first) {
  const double memory_before = resident_mb();
  const double start = seconds();
  std::shared_ptr<Engine> engine;
  try {
    engine = compile(graph, row.options);
  } catch (const Error& error) {
    return {{"name", row.name}, {"refused", error.what()}};
  }
  const double compile_s = seconds() - start;
  const auto inputs = random_inputs(first);
  const auto reference = run(first, inputs);
  const bool same_bits = run(*engine, inputs) == reference;
  const CompareReport report = compare({first, inputs}, {*engine, inputs});
  return {{"name", row.name},
          {"compile_s", compile_s},
          {"added_memory_mb", resident_mb() - memory_before},
          {"same_bits_as_first", same_bits},
          {"sqnr_db_to_first", sqnr_db(first, *engine, {{inputs}})},
          {"speed", report.ratio},
          {"speed_per_cpu_second", report.cpu_ratio},
          {"ms_per_image", report.rounds.back().b_ms}};
}

}  // namespace

int main(int count, char** arguments) try {
  if (count != 2) {
    std::cerr << "usage: bench_engine_modes MODEL\n";
    return 2;
  }
  const graph::Graph graph = read_graph(arguments[1]);
  const std::vector<Row> table = rows(available_threads());
  const auto first = compile(graph, table.front().options);
  nlohmann::json result{{"model", arguments[1]},
                        {"engine", first->description()},
                        {"threads", available_threads()},
                        {"rows", nlohmann::json::array()}};
  for (const Row& row : table) result["rows"].push_back(measure(row, graph, *first));
  std::cout << result.dump(2) << "\n";
  return 0;
} catch (const std::exception& error) {
  std::cerr << error.what() << "\n";
  return 1;
}
