// SPDX-License-Identifier: Apache-2.0
// What does it cost to look at every convolution's input, as calibration does?
//
//     bench_exposed_outputs model.onnx|model.pt      prints JSON
//
// Times are relative to the model without further outputs, run in turn with it.
#include <exception>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "onnx/model_file.h"
#include "runtime/engine.h"
#include "runtime/expose.h"
#include "runtime/measure.h"

namespace {

using namespace yoloq;
using namespace yoloq::runtime;

graph::Graph read_graph(const std::filesystem::path& path) {
  return path.extension() == ".pt" ? checkpoint::load_graph(path) : onnx::read_model(path);
}

std::vector<std::string> convolution_inputs(const graph::Graph& graph) {
  std::set<std::string> values;
  for (const graph::NodeId id : graph.nodes()) {
    if (graph[id].op == "Conv") values.insert(graph[id].inputs[0]);
  }
  return {values.begin(), values.end()};
}

graph::Graph with_plain_outputs(graph::Graph graph, const std::vector<std::string>& values) {
  for (const std::string& value : values) {
    graph.outputs.push_back({value, {DType::f32, graph::Dims(4)}});
  }
  return graph;
}

}  // namespace

int main(int count, char** arguments) try {
  if (count != 2) {
    std::cerr << "usage: bench_exposed_outputs MODEL\n";
    return 2;
  }
  const graph::Graph graph = read_graph(arguments[1]);
  const auto values = convolution_inputs(graph);
  const EngineOptions options{.threads = 1};
  const auto bare = compile(graph, options);
  const auto inputs = random_inputs(*bare);
  const auto time_of = [&](const graph::Graph& exposed) {
    const auto engine = compile(exposed, options);
    return 1.0 / compare({*bare, inputs}, {*engine, inputs}).cpu_ratio;
  };
  const nlohmann::json result{
      {"model", arguments[1]},
      {"values", values.size()},
      {"time_with_plain_outputs", time_of(with_plain_outputs(graph, values))},
      {"time_with_outputs_as_held", time_of(with_outputs(graph, values))}};
  std::cout << result.dump(2) << "\n";
  return 0;
} catch (const std::exception& error) {
  std::cerr << error.what() << "\n";
  return 1;
}
