// SPDX-License-Identifier: Apache-2.0
#include "runtime/tensorrt/stand_in.h"

#include <algorithm>
#include <stdexcept>

#include "core/dtype.h"
#include "pipeline/calm_model.h"
#include "pipeline/model.h"
#include "pipeline/quantization.h"
#include "pipeline/tiny_data_set.h"
#include "support/data.h"
#include "support/tiny_checkpoint.h"

namespace yoloq::test {

namespace {

namespace fs = std::filesystem;
using graph::Graph;
using runtime::tensorrt::BuiltLayer;
using runtime::tensorrt::BuiltTensor;

constexpr std::size_t kImages = 2;

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

/// Names of kernels spell out what they compute, in order: "MulAddSiluMulMinMaxRounCast".
bool rounds_first(const std::string& kernel) { return kernel.find("Roun") < kernel.find("Silu"); }

/// What stands between a convolution and its SiLU; empty if nothing does.
std::string between(const BuiltLayer& layer, const std::string& activation, const Built& built) {
  if (contains(layer.origins, activation)) return "";  // One kernel computes both.
  const auto& result = layer.outputs.at(0);
  if (result.type == "Int8") return "its result is int8";
  bool activated = false;
  for (const BuiltLayer& reader : built.layers) {
    if (std::ranges::count(reader.inputs, result.name, &BuiltTensor::name) == 0) {
      continue;
    }
    if (rounds_first(reader.name)) return "it is rounded in " + reader.name;
    activated = activated || contains(reader.origins, activation);
  }
  return activated ? "" : "no reader computes " + activation;
}

}  // namespace

Source source_named(const std::string& model, const fs::path& folder) {
  if (model == "tiny") {
    write_checkpoint(calm_model(), folder / "tiny.pt", {.dtype = DType::f32});
    return {folder / "tiny.pt", write_tiny_data_set(folder).train};
  }
  const fs::path data = data_folder().value();
  Source source{data / "weights" / (model + ".pt"), {}};
  for (const auto& entry : fs::directory_iterator(data / "coco/images/train2017")) {
    source.images.push_back(entry.path());
  }
  std::ranges::sort(source.images);
  return source;
}

Quantized quantize(const Source& source, const quantize::Options& options) {
  const auto model = pipeline::load_model(source.checkpoint, {.size = kSize});
  const auto quantized = pipeline::quantize_model(
      model, source.images,
      {.quantize = options, .images = kImages, .tune_weights = false, .bias_correction = false});
  return {pipeline::with_input(quantized.graph, 1, kSize), quantized.plan.int8_layers()};
}

int Built::convolutions() const {
  return static_cast<int>(std::ranges::count_if(layers, runtime::tensorrt::is_convolution));
}

int Built::int8() const {
  return static_cast<int>(std::ranges::count_if(layers, runtime::tensorrt::is_int8_convolution));
}

bool Built::has_type(const std::string& type) const {
  const auto has = [&](const std::vector<BuiltTensor>& tensors) {
    return std::ranges::count(tensors, type, &BuiltTensor::type) != 0;
  };
  return std::ranges::any_of(layers, [&](const BuiltLayer& layer) {
    return has(layer.inputs) || has(layer.constants) || has(layer.outputs);
  });
}

const BuiltLayer& Built::of(const std::string& conv) const {
  const auto found = std::ranges::find_if(layers, [&](const BuiltLayer& layer) {
    return runtime::tensorrt::is_convolution(layer) && contains(layer.origins, conv);
  });
  if (found == layers.end()) throw std::out_of_range("the plan has no " + conv);
  return *found;
}

Built build(const Graph& graph, runtime::EngineOptions options) {
  Built built;
  options.backend = "tensorrt";
  options.log = [&](std::string_view message) {
    auto layers = runtime::tensorrt::read_build_log(message);
    if (!layers.empty()) built.layers = std::move(layers);
  };
  built.engine = runtime::compile(graph, options);
  return built;
}

std::vector<std::string> parted_from_activation(const Graph& graph, const Built& built) {
  std::vector<std::string> faults;
  for (const graph::NodeId id : graph.nodes()) {
    const graph::Node& node = graph[id];
    if (node.op != "Sigmoid") continue;
    auto producer = graph.producer(node.inputs.at(0));
    while (producer && graph[*producer].op == "Cast") {  // Behind a layer of another float type.
      producer = graph.producer(graph[*producer].inputs.at(0));
    }
    const bool reads_conv = producer && graph[*producer].op == "Conv";
    const std::string fault = reads_conv
                                  ? between(built.of(graph[*producer].name), node.name, built)
                                  : "the file has something else before it";
    if (!fault.empty()) faults.push_back(node.name + ": " + fault);
  }
  return faults;
}

}  // namespace yoloq::test
