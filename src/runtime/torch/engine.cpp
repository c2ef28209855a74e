// SPDX-License-Identifier: Apache-2.0
#include "runtime/torch/engine.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>
#include <torch/version.h>

#include <algorithm>
#include <cstring>
#include <mutex>
#include <utility>

#include "core/error.h"
#include "core/file.h"
#include "core/hash.h"
#include "graph/shapes.h"
#include "onnx/model_file.h"
#include "runtime/cpu.h"
#include "runtime/engine_file.h"
#include "runtime/torch/backend.h"
#include "runtime/torch/device.h"
#include "runtime/torch/tensors.h"

namespace yoloq::runtime::torch {

namespace {

/// Threads in all and requests that share them.
struct Workers {
  int threads = 1;
  int streams = 1;
};

/// @throws Error(bad_argument) for impossible numbers.
Workers workers_of(const EngineOptions& options) {
  if (options.threads < 0 || options.streams < 0) {
    fail(ErrorCode::bad_argument, "threads ({}) and streams ({}) cannot be negative",
         options.threads, options.streams);
  }
  const int threads = options.threads > 0 ? options.threads : available_threads();
  const int streams = std::max(options.streams, 1);
  if (options.mode == Mode::latency && streams > 1) {
    fail(ErrorCode::bad_argument, "latency mode has one stream, not {}; use throughput mode",
         streams);
  }
  if (streams > threads) {
    fail(ErrorCode::bad_argument, "{} streams need as many threads, there are {}", streams,
         threads);
  }
  return {threads, streams};
}

std::vector<PortInfo> describe(const std::vector<graph::Port>& ports, const graph::Graph& graph) {
  std::vector<PortInfo> result;
  for (const graph::Port& port : ports) {
    const graph::ValueType type = graph.type_of(port.name);
    result.push_back({port.name, type.dtype, type.dims.value_or(graph::Dims{})});
  }
  return result;
}

constexpr const char* kOnGpu = "torch-cuda";

const char* backend_on(c10::Device device) { return device.is_cuda() ? kOnGpu : "torch"; }

/// Where the engine computes. Of what GPU runtimes can be told it takes the device; and shapes, as
/// it takes any.
c10::Device device_of(const EngineOptions& options) {
  if (options.backend != kOnGpu) return c10::kCPU;
  GpuOptions rest = options.gpu;
  rest.device = 0;
  rest.shapes.reset();
  if (!rest.is_default()) {
    fail(ErrorCode::bad_argument,
         "the backend '{}' takes one device and nothing else of a GPU's options", kOnGpu);
  }
  return open_device("cuda:" + std::to_string(options.gpu.device));
}

class TorchEngine;

class TorchRequest final : public Request {
 public:
  explicit TorchRequest(std::shared_ptr<TorchEngine> engine);

  TensorView input(std::size_t index, const Shape& shape) override;
  void run() override;
  TensorView output(std::size_t index) override;

 private:
  std::shared_ptr<TorchEngine> engine_;
  std::vector<at::Tensor> inputs_;
  std::vector<at::Tensor> outputs_;
};

class TorchEngine final : public Engine, public std::enable_shared_from_this<TorchEngine> {
 public:
  TorchEngine(std::shared_ptr<Network> network, Workers workers, bool profile)
      : network_(std::move(network)),
        workers_(workers),
        profile_(profile),
        inputs_(describe(network_->graph().inputs, network_->graph())),
        outputs_(describe(network_->graph().outputs, network_->graph())) {}

  std::span<const PortInfo> inputs() const override { return inputs_; }
  std::span<const PortInfo> outputs() const override { return outputs_; }
  const Metadata& metadata() const override { return network_->graph().metadata; }
  FloatType float_type() const override { return FloatType::f32; }
  int streams() const override { return workers_.streams; }
  const Network& network() const { return *network_; }

  std::unique_ptr<Request> make_request() override {
    return std::make_unique<TorchRequest>(shared_from_this());
  }

  std::vector<LayerInfo> layers() const override {
    const std::lock_guard lock(mutex_);
    std::vector<LayerInfo> rows;
    const graph::Graph& graph = network_->graph();
    for (const graph::NodeId id : graph.nodes()) {
      const graph::Node& node = graph[id];
      const std::string name = node.name.empty() ? node.output() : node.name;
      LayerInfo row{.name = name, .kind = node.op, .precision = "f32", .origins = {name}};
      row.kernel = network_->on_torch(id) ? "torch" : "reference";
      row.convolutions = node.op == "Conv" ? 1 : 0;
      if (const auto time = times_ms_.find(id); time != times_ms_.end()) row.time_ms = time->second;
      rows.push_back(std::move(row));
    }
    return rows;
  }

  void save(const std::filesystem::path& path) const override {
    const std::string bytes = onnx::serialize(network_->graph());
    write_file(path, serialize(EngineFile{.backend = backend_on(network_->device()),
                                          .backend_version = TORCH_VERSION,
                                          .device = network_->device().str(),
                                          .float_type = "f32",
                                          .model_hash = hash_of(bytes),
                                          .inputs = {},
                                          .outputs = {},
                                          .nodes = {},
                                          .metadata = metadata(),
                                          .notices = notices(),
                                          .blob = bytes}));
  }

  std::string description() const override {
    return "LibTorch " TORCH_VERSION " on " + network_->device().str() + ", f32, " +
           std::to_string(workers_.streams) + " streams, " + std::to_string(workers_.threads) +
           " threads";
  }

  std::vector<at::Tensor> compute(std::span<const at::Tensor> inputs) {
    const c10::InferenceMode no_gradients;
    const int share = workers_.threads / workers_.streams;
    if (at::get_num_threads() != share) at::set_num_threads(share);
    RunOptions options;
    if (profile_) {
      options.timed = [this](graph::NodeId node, double milliseconds) {
        const std::lock_guard lock(mutex_);
        times_ms_[node] = milliseconds;
      };
    }
    try {
      return network_->run(inputs, options);
    } catch (const c10::Error& error) {
      fail(ErrorCode::backend, "LibTorch, while running: {}", error.what_without_backtrace());
    }
  }

 private:
  std::shared_ptr<Network> network_;
  Workers workers_;
  bool profile_;
  std::vector<PortInfo> inputs_;
  std::vector<PortInfo> outputs_;
  mutable std::mutex mutex_;
  std::map<graph::NodeId, double> times_ms_;
};

TorchRequest::TorchRequest(std::shared_ptr<TorchEngine> engine)
    : engine_(std::move(engine)), inputs_(engine_->inputs().size()) {}

TensorView view_of(const at::Tensor& tensor) {
  TensorView view;
  view.dtype = dtype_of_scalar(tensor.scalar_type());
  view.shape = tensor.sizes().vec();
  view.bytes = {static_cast<std::byte*>(const_cast<void*>(tensor.const_data_ptr())),
                tensor.nbytes()};
  return view;
}

TensorView TorchRequest::input(std::size_t index, const Shape& shape) {
  if (index >= inputs_.size()) {
    fail(ErrorCode::bad_argument, "there is no input {}, the model has {}", index, inputs_.size());
  }
  const PortInfo& port = engine_->inputs()[index];
  const auto fixed = graph::fixed_shape(port.dims);
  if (shape.empty() && !fixed) {
    fail(ErrorCode::bad_argument, "input '{}' has sizes that are chosen at run time: say which",
         port.name);
  }
  const Shape chosen = shape.empty() ? *fixed : shape;
  const bool fits = std::ranges::equal(chosen, port.dims, [](std::int64_t size, const auto& dim) {
    return size >= 0 && (!dim.known() || dim.size == size);
  });
  if (!fits) {
    fail(ErrorCode::bad_argument, "shape {} does not fit input '{}'", to_string(chosen), port.name);
  }
  at::Tensor& tensor = inputs_[index];
  if (!tensor.defined() || tensor.sizes() != at::IntArrayRef(chosen)) {
    tensor = at::empty(chosen, at::TensorOptions(scalar_type(port.dtype)));
  }
  return view_of(tensor);
}

void TorchRequest::run() {
  const c10::Device device = engine_->network().device();
  std::vector<at::Tensor> inputs;
  for (const at::Tensor& input : inputs_) {
    if (!input.defined()) fail(ErrorCode::bad_state, "an input was not filled");
    inputs.push_back(input.to(device));
  }
  outputs_ = engine_->compute(inputs);
  for (at::Tensor& output : outputs_) output = output.cpu().contiguous();
}

TensorView TorchRequest::output(std::size_t index) {
  if (index >= engine_->outputs().size()) {
    fail(ErrorCode::bad_argument, "there is no output {}, the model has {}", index,
         engine_->outputs().size());
  }
  if (outputs_.empty()) fail(ErrorCode::bad_state, "an output is read before the model was run");
  return view_of(outputs_[index]);
}

void require_float32(FloatType type) {
  if (type == FloatType::f32) return;
  fail(ErrorCode::unsupported, "LibTorch's runtime computes in f32 only, not {}", name_of(type));
}

}  // namespace

std::shared_ptr<Engine> engine_of(std::shared_ptr<Network> network) {
  return std::make_shared<TorchEngine>(std::move(network), workers_of({}), false);
}

std::shared_ptr<Engine> compile(const graph::Graph& graph, const EngineOptions& options) {
  require_float32(options.float_type);
  const Workers workers = workers_of(options);
  const c10::Device device = device_of(options);
  graph::Graph typed = graph;
  graph::infer_shapes(typed);
  return std::make_shared<TorchEngine>(std::make_shared<Network>(typed, device), workers,
                                       options.profile);
}

std::shared_ptr<Engine> load(const EngineFile& file, const EngineOptions& options) {
  if (file.backend_version != TORCH_VERSION) {
    fail(ErrorCode::unsupported, "LibTorch {} wrote it, this is LibTorch {}; build it again",
         file.backend_version, TORCH_VERSION);
  }
  EngineOptions here = options;
  here.backend = file.backend;
  const std::string device = device_of(here).str();
  if (file.device != device) {
    fail(ErrorCode::unsupported, "it was built for the device '{}', this is '{}'; build it again",
         file.device, device);
  }
  try {
    return torch::compile(onnx::parse(file.blob), here);
  } catch (const Error& error) {
    fail(ErrorCode::backend, "the model inside cannot be read: {}", error.what());
  }
}

std::string identity() {
  return std::string("LibTorch " TORCH_VERSION " on ") + at::get_cpu_capability();
}

std::string identity_of_gpu() {
  return "LibTorch " TORCH_VERSION " on " + open_device("cuda").str();
}

}  // namespace yoloq::runtime::torch
