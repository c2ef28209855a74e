// SPDX-License-Identifier: Apache-2.0
// What does TensorRT's builder make of these files, and how long does it take?
//
//     bench_tensorrt_builds model.onnx...           prints JSON
//     bench_tensorrt_builds --rows model.onnx...    prints rows of docs/reference/tensorrt.md
//
// Needs a GPU, or TensorRT-RTX in place of TensorRT (-DTENSORRT_RTX_ROOT), which builds without
// one. Its plans cannot be loaded there: their layers are read from the builder's log.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "onnx/model_file.h"
#include "runtime/engine.h"

namespace {

namespace fs = std::filesystem;
using namespace yoloq;
using namespace yoloq::runtime;

constexpr int kBuilds = 3;  // The fastest counts: what else the machine does only adds.

struct Counts {
  int convolutions = 0;
  int int8 = 0;
  int others = 0;  ///< Layers that compute something else.
};

Counts counts_of(const Engine& engine) {
  Counts counts;
  for (const LayerInfo& layer : engine.layers()) {
    counts.convolutions += layer.convolutions;
    counts.int8 += is_int8(layer) ? layer.convolutions : 0;
    counts.others += layer.convolutions == 0 ? 1 : 0;
  }
  return counts;
}

/// Bytes of the file that `engine` is saved as.
std::uintmax_t size_of_file(const Engine& engine) {
  const fs::path path = fs::temp_directory_path() / fmt::format("{}.engine", ::getpid());
  engine.save(path);
  const auto bytes = fs::file_size(path);
  fs::remove(path);
  return bytes;
}

nlohmann::ordered_json measure(const fs::path& path) {
  const graph::Graph graph = onnx::read_model(path);
  double fastest_s = 0;
  std::shared_ptr<Engine> engine;
  for (int i = 0; i < kBuilds; ++i) {
    const auto start = std::chrono::steady_clock::now();
    engine = compile(graph, {.backend = "tensorrt"});
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    fastest_s = i == 0 ? took.count() : std::min(fastest_s, took.count());
  }
  const Counts counts = counts_of(*engine);
  return {{"file", path.filename().string()},
          {"engine", engine->description()},
          {"build_s", fastest_s},
          {"file_mb", static_cast<double>(fs::file_size(path)) / 1e6},
          {"engine_mb", static_cast<double>(size_of_file(*engine)) / 1e6},
          {"convolutions", counts.convolutions},
          {"convolutions_int8", counts.int8},
          {"other_layers", counts.others}};
}

std::string row_of(const nlohmann::ordered_json& row) {
  return fmt::format("| {} | {} / {} | {} | {:.1f} | {:.1f} | {:.1f} |\n",
                     row["file"].get<std::string>(), row["convolutions_int8"].get<int>(),
                     row["convolutions"].get<int>(), row["other_layers"].get<int>(),
                     row["build_s"].get<double>(), row["file_mb"].get<double>(),
                     row["engine_mb"].get<double>());
}

}  // namespace

int main(int count, char** arguments) try {
  std::vector<std::string> files(arguments + 1, arguments + count);
  const bool rows = std::erase(files, "--rows") > 0;
  if (files.empty()) {
    std::cerr << "usage: bench_tensorrt_builds [--rows] MODEL.onnx...\n";
    return 2;
  }
  nlohmann::ordered_json result = nlohmann::ordered_json::array();
  for (const std::string& file : files) result.push_back(measure(file));
  if (!rows) std::cout << result.dump(2) << "\n";
  for (const auto& row : result) std::cout << (rows ? row_of(row) : "");
  return 0;
} catch (const std::exception& error) {
  std::cerr << error.what() << "\n";
  return 1;
}
