// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <mutex>
#include <utility>

#include "core/error.h"
#include "core/file.h"
#include "core/hash.h"
#include "onnx/model_file.h"
#include "runtime/engine_file.h"
#include "runtime/tensorrt/backend.h"
#include "runtime/tensorrt/check_graph.h"
#include "runtime/tensorrt/detail/cuda.h"
#include "runtime/tensorrt/detail/letterbox.h"
#include "runtime/tensorrt/detail/library.h"
#include "runtime/tensorrt/detail/log.h"
#include "runtime/tensorrt/detail/plan.h"
#include "runtime/tensorrt/detail/version.h"
#include "runtime/tensorrt/inspector.h"

namespace yoloq::runtime::tensorrt {

namespace {

constexpr int kThroughputStreams = 2;  // One computes while the other's images are copied.
constexpr std::string_view kProduct = YOLOQ_TENSORRT_STAND_IN ? "TensorRT-RTX" : "TensorRT";
constexpr std::string_view kNoDevice = "none: built without a GPU";

DType dtype_of_type(nvinfer1::DataType type) {
  const auto row = std::ranges::find(kTypes, type, &TypeRow::type);
  if (row != kTypes.end()) return row->dtype;
  fail(ErrorCode::unsupported, "TensorRT's type {} has no counterpart", static_cast<int>(type));
}

graph::Dims dims_of(const nvinfer1::Dims& dims) {
  graph::Dims result;
  for (int i = 0; i < dims.nbDims; ++i) {
    result.push_back(dims.d[i] >= 0 ? graph::Dim::fixed(dims.d[i]) : graph::Dim{});
  }
  return result;
}

Shape shape_of(const nvinfer1::Dims& dims) {
  return {dims.d, dims.d + std::max(0, static_cast<int>(dims.nbDims))};
}

nvinfer1::Dims to_dims(const Shape& shape) {
  nvinfer1::Dims dims{};
  dims.nbDims = static_cast<std::int32_t>(shape.size());
  for (std::size_t i = 0; i < shape.size(); ++i) {
    dims.d[i] = static_cast<std::remove_reference_t<decltype(dims.d[i])>>(shape[i]);
  }
  return dims;
}

/// Sums of the layers' times over the runs, from requests of any thread.
class Profiler final : public nvinfer1::IProfiler {
 public:
  void reportLayerTime(const char* name, float ms) noexcept override {
    const std::lock_guard lock(mutex_);
    auto& [sum, runs] = times_[name];
    sum += ms;
    ++runs;
  }

  bool has_times() const {
    const std::lock_guard lock(mutex_);
    return !times_.empty();
  }

  void forget() {
    const std::lock_guard lock(mutex_);
    times_.clear();
  }

  std::optional<double> mean_ms(const std::string& name) const {
    const std::lock_guard lock(mutex_);
    const auto found = times_.find(name);
    if (found == times_.end()) return std::nullopt;
    return found->second.first / found->second.second;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::pair<double, int>> times_;
};

/// What runs a plan: one batch at a time.
struct Context {
  std::unique_ptr<nvinfer1::IExecutionContext> trt;
  std::mutex mutex;  // Held from the setting of shapes to the end of the run.
};

/// A deserialized plan on its device.
struct Loaded {
  Device device;
  std::unique_ptr<nvinfer1::IRuntime> runtime;
  std::unique_ptr<nvinfer1::ICudaEngine> engine;
  std::shared_ptr<Context> shared;  ///< Of all requests where they cannot have one each.
};

class TensorRtEngine final : public Engine, public std::enable_shared_from_this<TensorRtEngine> {
 public:
  TensorRtEngine(EngineFile file, const EngineOptions& options)
      : file_(std::move(file)), options_(options), log_(options.log) {}

  /// What compile() knows before anything is on a device.
  void describe(const graph::Graph& graph) {
    for (const auto& port : graph.inputs) inputs_.push_back(info_of(port));
    for (const auto& port : graph.outputs) outputs_.push_back(info_of(port));
  }

  std::span<const PortInfo> inputs() const override { return inputs_; }
  std::span<const PortInfo> outputs() const override { return outputs_; }
  const Metadata& metadata() const override { return file_.metadata; }

  std::unique_ptr<Request> make_request() override;

  std::shared_ptr<Engine> on_device(int index) const override {
    EngineOptions options = options_;
    options.gpu.device = index;
    auto engine = std::make_shared<TensorRtEngine>(file_, options);
    engine->inputs_ = inputs_;
    engine->outputs_ = outputs_;
    engine->loaded();
    return engine;
  }

  int streams() const override {
    if (options_.mode == Mode::latency) return 1;
    return options_.streams > 0 ? options_.streams : kThroughputStreams;
  }

  FloatType float_type() const override { return float_type_of(file_.float_type); }

  std::vector<LayerInfo> layers() const override;

  void save(const std::filesystem::path& path) const override {
    write_file(path, serialize(file_));
  }

  std::string description() const override {
    return std::string(kProduct) + " " + file_.backend_version + " on " + file_.device + ", " +
           file_.float_type + ", " + std::to_string(streams()) + " streams";
  }

  bool runnable() const override { return file_.device != kNoDevice; }

  /// Loads the plan, once. Call under the lock, or before anybody else knows the engine.
  const Loaded& loaded() const {
    if (loaded_) return *loaded_;
    Loaded result{
        .device = find_device(options_.gpu.device), .runtime = {}, .engine = {}, .shared = {}};
    if (file_.device == kNoDevice) {
      fail(ErrorCode::unsupported, "the plan was built on a machine without a GPU: build it on {}",
           result.device.name);
    }
    if (const std::string device = text_of(result.device); file_.device != device) {
      fail(ErrorCode::unsupported, "it was built for the GPU '{}', this is '{}'; build it again",
           file_.device, device);
    }
    use_device(result.device.index);
    result.runtime = Library::get().make_runtime(log_);
    result.engine.reset(
        result.runtime->deserializeCudaEngine(file_.blob.data(), file_.blob.size()));
    if (!result.engine) {
      fail(ErrorCode::backend, "TensorRT cannot load the plan: {}", log_.take_errors());
    }
    loaded_ = std::move(result);
    return *loaded_;
  }

  /// A context for one request, or the one that all share. Call under the lock.
  std::shared_ptr<Context> context() const {
    const Loaded& on = loaded();
    if (on.shared) return on.shared;
    use_device(on.device.index);
    auto context = std::make_shared<Context>();
    context->trt.reset(on.engine->createExecutionContext());
    if (!context->trt) {
      fail(ErrorCode::backend, "TensorRT makes no execution context: {}", log_.take_errors());
    }
    if (options_.profile) context->trt->setProfiler(&profiler_);
    if (!kSharesProfiles && has_open_sizes()) loaded_->shared = context;
    return context;
  }

  bool has_open_sizes() const { return !graph::fixed_shape(inputs_.front().dims); }

  /// What an engine file does not say itself.
  void describe_from_plan() {
    const nvinfer1::ICudaEngine& engine = *loaded().engine;
    for (const std::string& name : file_.inputs) inputs_.push_back(info_of(engine, name));
    for (const std::string& name : file_.outputs) outputs_.push_back(info_of(engine, name));
  }

  const EngineOptions& options() const { return options_; }
  Log& log() const { return log_; }

 private:
  static PortInfo info_of(const graph::Port& port) {
    return {port.name, port.type.dtype, port.type.dims.value_or(graph::Dims{})};
  }

  static PortInfo info_of(const nvinfer1::ICudaEngine& engine, const std::string& name) {
    const nvinfer1::Dims dims = engine.getTensorShape(name.c_str());
    if (dims.nbDims < 0) {
      fail(ErrorCode::corrupt_file, "the plan has no tensor '{}' that the file speaks of", name);
    }
    return {name, dtype_of_type(engine.getTensorDataType(name.c_str())), dims_of(dims)};
  }

  EngineFile file_;
  EngineOptions options_;
  mutable Log log_;
  std::vector<PortInfo> inputs_;
  std::vector<PortInfo> outputs_;
  mutable Profiler profiler_;
  mutable std::mutex mutex_;
  mutable std::optional<Loaded> loaded_;  // Guarded by mutex_.

  friend class TensorRtRequest;
};

/// One input or output of a request, as long as its whole batch.
struct Slot {
  PortInfo port;
  Shape shape;
  Buffer buffer;

  std::size_t bytes() const {
    return static_cast<std::size_t>(element_count(shape)) * size_of(port.dtype);
  }
  TensorView view() const {
    TensorView view;
    view.dtype = port.dtype;
    view.shape = shape;
    view.bytes = {buffer.host(), bytes()};
    return view;
  }
};

/// Batches larger than the plan's are computed in pieces, one behind the other on one stream.
class TensorRtRequest final : public Request {
 public:
  explicit TensorRtRequest(std::shared_ptr<const TensorRtEngine> engine)
      : engine_(std::move(engine)), context_(engine_->context()) {
    const nvinfer1::ICudaEngine& plan = this->plan();
    use_device(device());
    stream_ = make_stream();
    for (Event& event : events_) event = make_event();
    for (const PortInfo& port : engine_->inputs())
      inputs_.push_back({.port = port, .shape = {}, .buffer = {}});
    for (const PortInfo& port : engine_->outputs())
      outputs_.push_back({.port = port, .shape = {}, .buffer = {}});
    const auto name = inputs_.front().port.name;
    if (graph::fixed_shape(inputs_.front().port.dims)) return;
    using Selector = nvinfer1::OptProfileSelector;
    least_ = shape_of(plan.getProfileShape(name.c_str(), 0, Selector::kMIN));
    best_ = shape_of(plan.getProfileShape(name.c_str(), 0, Selector::kOPT));
    most_ = shape_of(plan.getProfileShape(name.c_str(), 0, Selector::kMAX));
  }

  TensorView input(std::size_t index, const Shape& shape) override {
    Slot& slot = slot_of(inputs_, index, "input");
    const Shape wanted = settle(slot.port, shape);
    use_device(device());
    if (wanted != slot.shape) {
      slot.shape = wanted;
      slot.buffer.reserve(slot.bytes());
      graph_.reset();
      ready_ = false;
    }
    if (index == 0) on_device_ = false;
    return slot.view();
  }

  bool letterbox(std::size_t place, const vision::Image& image,
                 const vision::Placement& placement) override {
    Slot& slot = inputs_.front();
    if (!engine_->options().gpu.letterbox || slot.port.dtype != DType::f32) return false;
    use_device(device());
    const std::size_t bytes = slot.bytes() / static_cast<std::size_t>(slot.shape.front());
    auto* canvas = reinterpret_cast<float*>(slot.buffer.device() + place * bytes);
    letterbox_(place, canvas, image, placement, stream_.get());
    on_device_ = true;
    return true;
  }

  void run() override {
    use_device(device());
    const std::lock_guard busy(context_->mutex);
    if (!ready_) make_ready();
    if (engine_->loaded_->shared) set_piece(0, piece(0));  // Others have set theirs.
    record(0);
    upload();
    record(1);
    compute();
    record(2);
    for (Slot& slot : outputs_) {
      check(::cudaMemcpyAsync(slot.buffer.host(), slot.buffer.device(), slot.bytes(),
                              cudaMemcpyDeviceToHost, stream_.get()),
            "downloading an output");
    }
    record(3);
    check(::cudaStreamSynchronize(stream_.get()), "running the engine");
  }

  /// One run on zeros, of the shape the plan is tuned for.
  void run_once() {
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      std::ranges::fill(input(i, i == 0 ? best_ : Shape{}).bytes, std::byte{0});
    }
    run();
  }

  nvinfer1::IExecutionContext& context() { return trt(); }

  TensorView output(std::size_t index) override {
    return slot_of(outputs_, index, "output").view();
  }

  std::optional<RunTimes> times() const override {
    return RunTimes{.upload_ms = milliseconds(events_[0], events_[1]),
                    .compute_ms = milliseconds(events_[1], events_[2]),
                    .download_ms = milliseconds(events_[2], events_[3])};
  }

 private:
  static Slot& slot_of(std::vector<Slot>& slots, std::size_t index, std::string_view what) {
    if (index < slots.size()) return slots[index];
    fail(ErrorCode::bad_argument, "there is no {} {}: the model has {}, counted from 0", what,
         index, slots.size());
  }

  const nvinfer1::ICudaEngine& plan() const { return *engine_->loaded_->engine; }
  int device() const { return engine_->loaded_->device.index; }
  nvinfer1::IExecutionContext& trt() const { return *context_->trt; }

  /// The shape of a request, checked against the port and the profile; only the batch may be
  /// larger than the profile's.
  Shape settle(const PortInfo& port, const Shape& shape) const {
    const auto fixed = graph::fixed_shape(port.dims);
    if (shape.empty() && fixed) return *fixed;
    bool fits = shape.size() == port.dims.size();
    for (std::size_t i = 0; fits && i < shape.size(); ++i) {
      fits = shape[i] > 0 && (!port.dims[i].known() || port.dims[i].size == shape[i]);
    }
    if (!fits) {
      fail(ErrorCode::bad_argument, "the input '{}' cannot be of shape {}", port.name,
           to_string(shape));
    }
    if (fixed) return shape;
    for (std::size_t i = 0; i < shape.size(); ++i) {
      if (shape[i] >= least_[i] && (i == 0 || shape[i] <= most_[i])) continue;
      fail(ErrorCode::bad_argument,
           "the engine was built for shapes from {} to {} of '{}', not {}: build it with other "
           "--min-shape and --max-shape",
           to_string(least_), to_string(most_), port.name, to_string(shape));
    }
    return shape;
  }

  /// Images in the piece that starts at `first`.
  std::int64_t piece(std::int64_t first) const {
    const std::int64_t rest = inputs_.front().shape.front() - first;
    if (most_.empty() || rest <= most_.front()) return rest;
    return std::min(most_.front(), rest - least_.front());  // What is left must not be too few.
  }

  std::int64_t batch() const { return inputs_.front().shape.front(); }

  void set_piece(std::int64_t first, std::int64_t count) {
    for (Slot& slot : inputs_) {
      if (slot.shape.empty()) {
        fail(ErrorCode::bad_state, "the input '{}' was not filled", slot.port.name);
      }
      Shape shape = slot.shape;
      if (count != batch()) shape.front() = count;
      std::byte* address = slot.buffer.device() + offset(slot, first);
      const char* name = slot.port.name.c_str();
      require(trt().setInputShape(name, to_dims(shape)) && trt().setTensorAddress(name, address),
              "the inputs");
    }
    for (Slot& slot : outputs_) {
      std::byte* address = slot.buffer.device() + offset(slot, first);
      require(trt().setTensorAddress(slot.port.name.c_str(), address), "the outputs");
    }
  }

  std::size_t offset(const Slot& slot, std::int64_t first) const {
    return slot.bytes() / static_cast<std::size_t>(batch()) * static_cast<std::size_t>(first);
  }

  void require(bool done, std::string_view what) {
    if (done) return;
    fail(ErrorCode::backend, "TensorRT does not take {}: {}", what, engine_->log().take_errors());
  }

  /// The outputs' shapes are those of a piece, with the whole batch in front.
  void make_ready() {
    set_piece(0, piece(0));
    for (Slot& slot : outputs_) {
      slot.shape = shape_of(trt().getTensorShape(slot.port.name.c_str()));
      if (std::ranges::any_of(slot.shape, [](std::int64_t size) { return size < 0; })) {
        fail(ErrorCode::unsupported, "the size of the output '{}' depends on its values",
             slot.port.name);
      }
      if (piece(0) != batch()) slot.shape.front() = batch();
      slot.buffer.reserve(slot.bytes());
    }
    set_piece(0, piece(0));
    ready_ = true;
  }

  void record(std::size_t index) {
    check(::cudaEventRecord(events_[index].get(), stream_.get()), "starting a clock");
  }

  void upload() {
    for (Slot& slot : inputs_) {
      if (on_device_ && &slot == &inputs_.front()) continue;
      check(::cudaMemcpyAsync(slot.buffer.device(), slot.buffer.host(), slot.bytes(),
                              cudaMemcpyHostToDevice, stream_.get()),
            "uploading an input");
    }
  }

  void compute() {
    if (graph_) {
      check(::cudaGraphLaunch(graph_.get(), stream_.get()), "launching the recorded run");
      return;
    }
    for (std::int64_t first = 0; first < batch(); first += piece(first)) {
      if (piece(0) != batch()) set_piece(first, piece(first));
      require(trt().enqueueV3(stream_.get()), "a run");
    }
    const bool whole = piece(0) == batch();
    if (engine_->options().gpu.cuda_graph && whole && !engine_->options().profile) record_graph();
  }

  /// TensorRT wants one run before a shape is recorded; this is called behind it.
  void record_graph() {
    cudaGraph_t graph = nullptr;
    cudaGraphExec_t launchable = nullptr;
    check(::cudaStreamSynchronize(stream_.get()), "running the engine");
    check(::cudaStreamBeginCapture(stream_.get(), cudaStreamCaptureModeThreadLocal),
          "recording a run");
    const bool enqueued = trt().enqueueV3(stream_.get());
    check(::cudaStreamEndCapture(stream_.get(), &graph), "recording a run");
    require(enqueued, "a run to be recorded");
    const cudaError_t status = ::cudaGraphInstantiate(&launchable, graph, 0);
    ::cudaGraphDestroy(graph);
    check(status, "preparing the recorded run");
    graph_.reset(launchable);
  }

  std::shared_ptr<const TensorRtEngine> engine_;
  std::shared_ptr<Context> context_;
  Stream stream_;
  std::array<Event, 4> events_;
  std::vector<Slot> inputs_;
  std::vector<Slot> outputs_;
  Shape least_;  // Of the profile; empty if all sizes are fixed.
  Shape best_;
  Shape most_;
  GraphExec graph_;
  Letterbox letterbox_;
  bool on_device_ = false;  // The first input was letterboxed there.
  bool ready_ = false;      // Shapes and addresses are set.
};

std::unique_ptr<Request> TensorRtEngine::make_request() {
  const std::lock_guard lock(mutex_);
  loaded();
  return std::make_unique<TensorRtRequest>(shared_from_this());
}

std::vector<LayerInfo> TensorRtEngine::layers() const {
  const std::lock_guard lock(mutex_);
  const std::unique_ptr<nvinfer1::IEngineInspector> inspector(
      loaded().engine->createEngineInspector());
  if (!inspector) fail(ErrorCode::backend, "TensorRT has no inspector: {}", log_.take_errors());
  // Formats of open sizes are told of a context that has run, and not before.
  TensorRtRequest request(shared_from_this());
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

std::shared_ptr<Engine> compile(const graph::Graph& given, const EngineOptions& options) {
  check_workers(options);
  const graph::Graph graph = with_output_types(given);
  const FloatType type = kWeaklyTyped ? options.float_type : float_type_in(graph);
  EngineFile file{.backend = "tensorrt",
                  .backend_version = Library::get().version(),
                  .device = device_text(options.gpu.device),
                  .float_type = std::string(name_of(type)),
                  .model_hash = hash_of(onnx::serialize(graph)),
                  .inputs = names_of(graph.inputs),
                  .outputs = names_of(graph.outputs),
                  .nodes = {},
                  .metadata = graph.metadata,
                  .notices = {},
                  .blob = build_plan(graph, options)};
  const auto engine = std::make_shared<TensorRtEngine>(std::move(file), options);
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
