// SPDX-License-Identifier: Apache-2.0
#include "runtime/tensorrt/detail/engine.h"

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "core/file.h"
#include "core/hash.h"
#include "onnx/model_file.h"
#include "runtime/tensorrt/backend.h"
#include "runtime/tensorrt/check_graph.h"
#include "runtime/tensorrt/detail/dims.h"
#include "runtime/tensorrt/detail/library.h"
#include "runtime/tensorrt/detail/plan.h"
#include "runtime/tensorrt/detail/request.h"
#include "runtime/tensorrt/detail/version.h"
#include "runtime/tensorrt/inspector.h"

namespace yoloq::runtime::tensorrt {

namespace {

constexpr int kThroughputStreams = 2;  // One computes while the other's images are copied.
constexpr std::string_view kProduct = YOLOQ_TENSORRT_STAND_IN ? "TensorRT-RTX" : "TensorRT";

DType dtype_of_type(nvinfer1::DataType type) {
  const auto row = std::ranges::find(kTypes, type, &TypeRow::type);
  if (row != kTypes.end()) return row->dtype;
  fail(ErrorCode::unsupported, "TensorRT's type {} has no counterpart", static_cast<int>(type));
}

PortInfo info_of(const graph::Port& port) {
  return {port.name, port.type.dtype, port.type.dims.value_or(graph::Dims{})};
}

PortInfo info_of(const nvinfer1::ICudaEngine& engine, const std::string& name) {
  const nvinfer1::Dims dims = engine.getTensorShape(name.c_str());
  if (dims.nbDims < 0) {
    fail(ErrorCode::corrupt_file, "the plan has no tensor '{}' that the file speaks of", name);
  }
  return {name, dtype_of_type(engine.getTensorDataType(name.c_str())), dims_of(dims)};
}

/// A plan runs on the kind of GPU that it was built for.
void require_device(const EngineFile& file, const Device& device) {
  if (file.device == kNoDevice) {
    fail(ErrorCode::unsupported, "the plan was built on a machine without a GPU: build it on {}",
         device.name);
  }
  if (const std::string found = text_of(device); file.device != found) {
    fail(ErrorCode::unsupported, "it was built for the GPU '{}', this is '{}'; build it again",
         file.device, found);
  }
}

void check_workers(const EngineOptions& options) {
  if (options.threads != 0) {
    fail(ErrorCode::bad_argument, "--threads is for CPUs; TensorRT takes --streams");
  }
  if (options.streams < 0) {
    fail(ErrorCode::bad_argument, "streams ({}) cannot be negative", options.streams);
  }
  if (options.mode == Mode::latency && options.streams > 1) {
    fail(ErrorCode::bad_argument, "latency mode has one stream, not {}; use throughput mode",
         options.streams);
  }
}

std::vector<std::string> names_of(const std::vector<graph::Port>& ports) {
  std::vector<std::string> names;
  for (const graph::Port& port : ports) names.push_back(port.name);
  return names;
}

/// The stand-in builds for GPUs that are not there; TensorRT itself asks for one and says so.
std::string device_text(int index) {
  int count = 0;
  if (YOLOQ_TENSORRT_STAND_IN && ::cudaGetDeviceCount(&count) != cudaSuccess) {
    return std::string(kNoDevice);
  }
  const Device device = find_device(index);
  use_device(device.index);
  return text_of(device);
}

}  // namespace

void TensorRtEngine::describe(const graph::Graph& graph) {
  for (const auto& port : graph.inputs) inputs_.push_back(info_of(port));
  for (const auto& port : graph.outputs) outputs_.push_back(info_of(port));
}

void TensorRtEngine::describe_from_plan() {
  const nvinfer1::ICudaEngine& engine = *loaded().engine;
  for (const std::string& name : file_.inputs) inputs_.push_back(info_of(engine, name));
  for (const std::string& name : file_.outputs) outputs_.push_back(info_of(engine, name));
}

std::unique_ptr<Request> TensorRtEngine::make_request() {
  const std::lock_guard lock(mutex_);
  return std::make_unique<TensorRtRequest>(shared_from_this(), loaded(), context());
}

std::shared_ptr<Engine> TensorRtEngine::on_device(int index) const {
  EngineOptions options = options_;
  options.gpu.device = index;
  auto engine = std::make_shared<TensorRtEngine>(file_, options);
  engine->inputs_ = inputs_;
  engine->outputs_ = outputs_;
  engine->loaded();
  return engine;
}

int TensorRtEngine::streams() const {
  if (options_.mode == Mode::latency) return 1;
  return options_.streams > 0 ? options_.streams : kThroughputStreams;
}

std::vector<LayerInfo> TensorRtEngine::layers() const {
  if (!runnable()) return built_;
  const std::lock_guard lock(mutex_);
  const Loaded& on = loaded();
  const std::unique_ptr<nvinfer1::IEngineInspector> inspector(on.engine->createEngineInspector());
  if (!inspector) fail(ErrorCode::backend, "TensorRT has no inspector: {}", log_.take_errors());
  // Formats of open sizes are told of a context that has run, and not before.
  TensorRtRequest request(shared_from_this(), on, context());
  const bool has_run = profiler_.has_times();
  if (has_open_sizes()) request.run_once();
  if (!has_run) profiler_.forget();
  inspector->setExecutionContext(&request.context());
  const char* json = inspector->getEngineInformation(nvinfer1::LayerInformationFormat::kJSON);
  if (json == nullptr) {
    fail(ErrorCode::backend, "TensorRT tells nothing of the engine's layers: {}",
         log_.take_errors());
  }
  auto table = read_layers(json);
  for (LayerInfo& layer : table) layer.time_ms = profiler_.mean_ms(layer.name);
  return table;
}

void TensorRtEngine::save(const std::filesystem::path& path) const {
  write_file(path, serialize(file_));
}

std::string TensorRtEngine::description() const {
  return std::string(kProduct) + " " + file_.backend_version + " on " + file_.device + ", " +
         file_.float_type + ", " + std::to_string(streams()) + " streams";
}

Loaded& TensorRtEngine::loaded() const {
  if (loaded_) return *loaded_;
  Loaded result{
      .device = find_device(options_.gpu.device), .runtime = {}, .engine = {}, .shared = {}};
  require_device(file_, result.device);
  use_device(result.device.index);
  result.runtime = Library::get().make_runtime(log_);
  result.engine.reset(result.runtime->deserializeCudaEngine(file_.blob.data(), file_.blob.size()));
  if (!result.engine) {
    fail(ErrorCode::backend, "TensorRT cannot load the plan: {}", log_.take_errors());
  }
  loaded_ = std::move(result);
  return *loaded_;
}

std::shared_ptr<Context> TensorRtEngine::context() const {
  Loaded& on = loaded();
  if (on.shared) return on.shared;
  use_device(on.device.index);
  auto context = std::make_shared<Context>();
  context->trt.reset(on.engine->createExecutionContext());
  if (!context->trt) {
    fail(ErrorCode::backend, "TensorRT makes no execution context: {}", log_.take_errors());
  }
  if (options_.profile) context->trt->setProfiler(&profiler_);
  context->shared = !kSharesProfiles && has_open_sizes();
  if (context->shared) on.shared = context;
  return context;
}

std::shared_ptr<Engine> compile(const graph::Graph& given, const EngineOptions& options) {
  check_workers(options);
  const graph::Graph graph = with_output_types(given);
  const FloatType type = kWeaklyTyped ? options.float_type : float_type_in(graph);
  const std::string device = device_text(options.gpu.device);
  Plan plan = build_plan(graph, options, device);
  EngineFile file{.backend = "tensorrt",
                  .backend_version = Library::get().version(),
                  .device = device,
                  .float_type = std::string(name_of(type)),
                  .model_hash = hash_of(onnx::serialize(graph)),
                  .inputs = names_of(graph.inputs),
                  .outputs = names_of(graph.outputs),
                  .nodes = {},
                  .metadata = graph.metadata,
                  .notices = {},
                  .blob = std::move(plan.bytes)};
  const auto engine =
      std::make_shared<TensorRtEngine>(std::move(file), options, std::move(plan.layers));
  engine->describe(graph);
  return engine;
}

std::shared_ptr<Engine> load(const EngineFile& file, const EngineOptions& options) {
  check_workers(options);
  if (const std::string& version = Library::get().version(); file.backend_version != version) {
    fail(ErrorCode::unsupported, "TensorRT {} built it, this is TensorRT {}; build it again",
         file.backend_version, version);
  }
  const auto engine = std::make_shared<TensorRtEngine>(file, options);
  engine->describe_from_plan();
  return engine;
}

}  // namespace yoloq::runtime::tensorrt
