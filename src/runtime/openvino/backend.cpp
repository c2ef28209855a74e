// SPDX-License-Identifier: Apache-2.0
#include "runtime/openvino/backend.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <openvino/runtime/core.hpp>
#include <openvino/runtime/properties.hpp>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/hash.h"
#include "onnx/model_file.h"
#include "runtime/cpu.h"
#include "runtime/openvino/avoid_saturation.h"
#include "runtime/openvino/detail/engine.h"
#include "runtime/openvino/shift_activations.h"

namespace yoloq::runtime::openvino {

namespace {

/// How a FloatType is called by OpenVINO.
struct Precision {
  FloatType type;
  ov::element::Type element;
  std::string_view capability;  ///< What a CPU with instructions for it lists.
};

const std::array kPrecisions{
    Precision{FloatType::f32, ov::element::f32, "FP32"},
    Precision{FloatType::bf16, ov::element::bf16, "BF16"},
    Precision{FloatType::f16, ov::element::f16, "FP16"},
};

/// Name of the CPU and what it has instructions for: they decide which kernels are compiled.
std::string device_of(ov::Core& core) {
  const auto capabilities = core.get_property(kDevice, ov::device::capabilities);
  std::string device = core.get_property(kDevice, ov::device::full_name);
  for (const std::string_view type : {"FP32", "BF16", "FP16", "INT8"}) {
    if (std::ranges::find(capabilities, type) == capabilities.end()) continue;
    device.append(" ").append(type);
  }
  device.append(has_int8_dot_product() ? " with" : " without").append(" 8-bit dot product");
  return device;
}

bool can_saturate(const EngineOptions& options) {
  return options.int8_sums == Int8Sums::saturating ||
         (options.int8_sums == Int8Sums::of_cpu && !has_int8_dot_product());
}

std::vector<std::string> notices_of(const SaturationCount& count) {
  if (count.in_float == 0) return {};
  return {fmt::format(
      "{} of {} layers with 8-bit weights are computed in float: this CPU has no 8-bit dot product "
      "(VNNI), and without it sums of two products saturate at 16 bits; 'yoloq quantize "
      "--reduce-range' writes files that run in int8 here",
      count.in_float, count.quantized)};
}

void require_instructions(ov::Core& core, const Precision& precision) {
  const auto capabilities = core.get_property(kDevice, ov::device::capabilities);
  if (std::ranges::find(capabilities, precision.capability) != capabilities.end()) return;
  fail(ErrorCode::unsupported, "this CPU ({}) has no {} instructions that OpenVINO uses; try f32",
       core.get_property(kDevice, ov::device::full_name), name_of(precision.type));
}

/// Threads and streams as numbers, checked.
struct Workers {
  int threads = 1;
  int streams = 1;
};

Workers workers_of(const EngineOptions& options) {
  if (options.threads < 0 || options.streams < 0) {
    fail(ErrorCode::bad_argument, "threads ({}) and streams ({}) cannot be negative",
         options.threads, options.streams);
  }
  const int threads = options.threads > 0 ? options.threads : available_threads();
  if (options.mode == Mode::latency) {
    if (options.streams > 1) {
      fail(ErrorCode::bad_argument, "latency mode has one stream, not {}; use throughput mode",
           options.streams);
    }
    return {threads, 1};
  }
  const int streams = options.streams > 0 ? options.streams : threads;
  if (streams > threads) {
    fail(ErrorCode::bad_argument, "{} streams need as many threads, there are {}", streams,
         threads);
  }
  return {threads, streams};
}

/// Everything is set, so that no default that depends on the machine decides anything.
ov::AnyMap properties_of(ov::Core& core, const EngineOptions& options) {
  const Workers workers = workers_of(options);
  const auto precision = std::ranges::find(kPrecisions, options.float_type, &Precision::type);
  require_instructions(core, *precision);
  return {
      ov::hint::inference_precision(precision->element),
      ov::hint::performance_mode(options.mode == Mode::latency
                                     ? ov::hint::PerformanceMode::LATENCY
                                     : ov::hint::PerformanceMode::THROUGHPUT),
      ov::num_streams(ov::streams::Num(workers.streams)),
      ov::inference_num_threads(workers.threads),
      ov::hint::enable_hyper_threading(true),
      ov::hint::enable_cpu_pinning(false),
      ov::enable_profiling(options.profile),
  };
}

std::vector<std::string> names_of(const std::vector<graph::Port>& ports) {
  std::vector<std::string> names;
  for (const graph::Port& port : ports) names.push_back(port.name);
  return names;
}

/// OpenVINO's reader calls a node by its name, by its output if it has none, and by its output if
/// that is one of the model's.
Metadata node_names_of(const graph::Graph& graph) {
  Metadata names;
  for (const graph::NodeId id : graph.nodes()) {
    const graph::Node& node = graph[id];
    const std::string& name = node.name.empty() ? node.output() : node.name;
    for (const std::string& output : node.outputs) {
      if (graph.is_output(output)) names[output] = name;
    }
    names[name] = name;
  }
  return names;
}

}  // namespace

std::shared_ptr<Engine> compile(const graph::Graph& graph, const EngineOptions& options) {
  graph::Graph shifted = graph;
  shift_activations_to_uint8(shifted);
  SaturationCount saturation;
  if (can_saturate(options)) saturation = avoid_saturation(shifted);
  const std::string bytes = onnx::serialize(shifted);
  return guarded("compiling the model", [&] {
    ov::Core core;
    EngineFile facts{.backend = "openvino",
                     .backend_version = ov::get_openvino_version().buildNumber,
                     .device = device_of(core),
                     .float_type = std::string(name_of(options.float_type)),
                     .model_hash = hash_of(bytes),
                     .inputs = names_of(graph.inputs),
                     .outputs = names_of(graph.outputs),
                     .nodes = node_names_of(graph),
                     .metadata = graph.metadata,
                     .notices = notices_of(saturation),
                     .blob = {}};
    const ov::AnyMap properties = properties_of(core, options);
    const auto model = core.read_model(bytes, ov::Tensor());
    return make_engine(core.compile_model(model, kDevice, properties), std::move(facts),
                       options.profile);
  });
}

std::shared_ptr<Engine> load(const EngineFile& file, const EngineOptions& options) {
  return guarded("loading the compiled model", [&] {
    ov::Core core;
    const std::string version = ov::get_openvino_version().buildNumber;
    if (file.backend_version != version) {
      fail(ErrorCode::unsupported, "OpenVINO {} built it, this is OpenVINO {}; build it again",
           file.backend_version, version);
    }
    if (const std::string device = device_of(core); file.device != device) {
      fail(ErrorCode::unsupported, "it was built for the CPU '{}', this is '{}'; build it again",
           file.device, device);
    }
    EngineOptions own = options;
    own.float_type = float_type_of(file.float_type);
    EngineFile facts = file;
    facts.blob.clear();
    std::istringstream blob(file.blob);
    return make_engine(core.import_model(blob, kDevice, properties_of(core, own)), std::move(facts),
                       options.profile);
  });
}

}  // namespace yoloq::runtime::openvino
