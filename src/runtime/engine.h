// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/available_threads.h"
#include "core/dtype.h"
#include "core/tensor.h"
#include "graph/graph.h"
#include "vision/image.h"
#include "vision/letterbox.h"

/// @file
/// What every runtime can do: compile a Graph, describe it, run batches.
///
///     Graph -> compile() -> Engine -> make_request() -> Request: fill input(), run(), read
///     output()
///
/// To add one: write runtime/<name>/ with a function that returns an Engine, then add a row in
/// registry.cpp. Command line, docs and conformance tests read that table.

namespace yoloq::runtime {

/// The type in which the float part of a model is computed. Whether a layer runs in int8 is the
/// file's own matter (QuantizeLinear and DequantizeLinear).
enum class FloatType { f32, bf16, f16 };

/// "f32", "bf16", "f16".
std::string_view name_of(FloatType type);

/// The same names, or "fp32" and "fp16" as users of TensorRT type them.
///
/// @throws Error(bad_argument) naming the known types.
FloatType float_type_of(std::string_view name);

/// What the engine is tuned for.
enum class Mode {
  latency,     ///< One request at a time, all threads on it.
  throughput,  ///< Several requests at once, `streams` of them computed side by side.
};

/// Shapes of the first input that an engine with open sizes is built for.
struct ShapeProfile {
  Shape least;
  Shape best;  ///< The one it is tuned for.
  Shape most;
};

/// Calibration by the runtime itself, of a float model: implicit INT8, which TensorRT has up to
/// version 10.
struct NativePtq {
  std::string method;  ///< A row of tensorrt::native_calibrators().
  Shape batch;         ///< Of the first input: [N, 3, H, W].
  /// Fills one batch; false when none is left.
  std::function<bool(std::span<float>)> next_batch;
  std::filesystem::path cache;  ///< Ranges are read from it if it is there, else written to it.
};

/// What a layer computes in, where the runtime would choose for itself.
struct LayerType {
  std::string layer;  ///< Name of a graph node.
  FloatType type = FloatType::f32;
};

/// What only GPU runtimes have; the others refuse everything but these defaults.
struct GpuOptions {
  int device = 0;
  std::vector<int> replicas;  ///< Further devices that run the same compiled model.
  std::optional<ShapeProfile> shapes;
  std::optional<NativePtq> native_ptq;
  std::vector<LayerType> float_layers;  ///< With native_ptq: kept out of int8.
  std::size_t workspace_mib = 0;        ///< 0: as much as the runtime likes.
  std::filesystem::path timing_cache;   ///< Times of kernels that builds measured; empty: none.
  std::map<std::string, bool> kernel_sources;  ///< Tactic sources to try or to leave out, by name.
  bool cuda_graph = false;                     ///< Replay recorded launches instead of launching.
  bool letterbox = false;                      ///< See Request::letterbox().

  bool is_default() const;
};

/// How the CPU adds up products of 8-bit codes; see runtime/cpu.h.
enum class Int8Sums {
  of_cpu,      ///< As this CPU does. Tests choose one of the others.
  exact,       ///< In 32 bits: every quantized layer runs in int8.
  saturating,  ///< Each two in 16 bits: layers that could saturate are computed in float.
};

struct EngineOptions {
  std::string backend = "openvino";
  FloatType float_type = FloatType::f32;
  Mode mode = Mode::throughput;
  int threads = 0;       ///< In all streams together; 0: available_threads().
  int streams = 0;       ///< 0: as many as threads, so that each request runs on one thread.
  bool profile = false;  ///< Measure the time of each layer; slows the engine down.
  GpuOptions gpu = {};
  std::function<void(std::string_view)> log;  ///< Every line the runtime says; may be empty.
  Int8Sums int8_sums = Int8Sums::of_cpu;
};

/// An input or output of an engine.
struct PortInfo {
  std::string name;
  DType dtype = DType::undefined;
  graph::Dims dims;  ///< Unknown sizes are chosen with each request.
};

/// A tensor that somebody else owns.
struct TensorView {
  DType dtype = DType::undefined;
  Shape shape;
  std::span<std::byte> bytes;

  /// @throws Error(unsupported) if T is not the element type.
  template <typename T>
  std::span<T> values() const {
    require(dtype_of<T>);
    return {reinterpret_cast<T*>(bytes.data()), bytes.size() / sizeof(T)};
  }

 private:
  void require(DType type) const;
};

/// One row of an engine's layer table: a primitive as it is really executed.
struct LayerInfo {
  std::string name;       ///< As the runtime calls it.
  std::string kind;       ///< "Convolution", "Reorder", ...
  std::string precision;  ///< "f32", "bf16", "i8", "u8", ... as executed.
  std::string kernel;     ///< The runtime's name of the implementation, e.g. "brgconv_avx512_core".
  std::string format;     ///< How its first output lies in memory, in the runtime's words.
  std::vector<std::string> origins;  ///< Names of the graph nodes that were fused into it; of a
                                     ///< node without a name, its output's.
  int convolutions = 0;              ///< Convolutions of the graph that it computes.
  std::optional<double> time_ms;     ///< Mean over the profiled runs, with EngineOptions::profile.
};

/// True if the layer computes on 8-bit integers.
bool is_int8(const LayerInfo& layer);

/// What a Graph says beside its computation: class names, strides, anchors.
using Metadata = std::map<std::string, std::string, std::less<>>;

/// Where the time of one run went, by the device's own clock.
struct RunTimes {
  double upload_ms = 0;
  double compute_ms = 0;
  double download_ms = 0;
};

/// One place in an engine for one batch: its buffers and its state. Used by one thread at a time;
/// different requests of one engine may run at once. Keeps its engine alive.
class Request {
 public:
  virtual ~Request() = default;

  /// The buffer to fill before run(); valid until the next call of input() for that index.
  /// `shape` chooses the unknown sizes; it may be left empty for a port whose sizes are all known.
  ///
  /// @throws Error(bad_argument) if `shape` does not fit the port.
  virtual TensorView input(std::size_t index, const Shape& shape = {}) = 0;

  /// Runs the engine on the inputs and waits.
  ///
  /// @throws Error(backend) with the runtime's words.
  virtual void run() = 0;

  /// The result of the last run(); valid until the next one.
  virtual TensorView output(std::size_t index) = 0;

  /// Letterboxes an image on the device, straight into place `slot` of the first input, whose shape
  /// input() has set. All images of a batch go this way or none.
  ///
  /// @returns false if the engine leaves it to the caller: vision::letterbox_into() of input(0).
  virtual bool letterbox(std::size_t /*slot*/, const vision::Image& /*image*/,
                         const vision::Placement& /*placement*/) {
    return false;
  }

  /// Of the last run(); none where the runtime has no clock of its own.
  virtual std::optional<RunTimes> times() const { return std::nullopt; }
};

/// A compiled model. Thread-safe.
class Engine {
 public:
  virtual ~Engine() = default;

  /// In the order and with the names of the Graph.
  virtual std::span<const PortInfo> inputs() const = 0;
  virtual std::span<const PortInfo> outputs() const = 0;

  /// Graph::metadata of the compiled Graph; also after save() and load().
  virtual const Metadata& metadata() const = 0;

  virtual std::unique_ptr<Request> make_request() = 0;

  /// What the float part is computed in; of a loaded engine, what it was built with.
  virtual FloatType float_type() const = 0;

  /// False if it was built on a machine that lacks its device: it can be saved, and layers() gives
  /// what its builder has told, which may be nothing.
  virtual bool runnable() const { return true; }

  /// The same compiled model on another device of the same kind.
  ///
  /// @throws Error(unsupported) if the runtime has one device only, or the other is of another
  /// kind.
  virtual std::shared_ptr<Engine> on_device(int index) const;

  /// How many requests keep the engine busy (its streams).
  virtual int streams() const = 0;

  /// What is executed, in order; with times if the engine was compiled with `profile` and has run.
  virtual std::vector<LayerInfo> layers() const = 0;

  /// Writes a file that load() reads on the same kind of machine without compiling.
  ///
  /// @throws Error(unsupported) if the runtime has no such file, Error(io) if it cannot be written.
  virtual void save(const std::filesystem::path& path) const = 0;

  /// Backend name and version, device name: for provenance.
  virtual std::string description() const = 0;

  /// What a user should know of how the model is executed, one sentence each; also after save() and
  /// load(). Mostly none.
  virtual std::vector<std::string> notices() const { return {}; }
};

struct EngineFile;  // runtime/engine_file.h

/// One row per backend.
struct BackendInfo {
  std::string_view name;
  std::string_view summary;
  bool available = false;  ///< Built in. A row that is not says in `summary` how to get it.
  std::shared_ptr<Engine> (*compile)(const graph::Graph&, const EngineOptions&) = nullptr;
  std::shared_ptr<Engine> (*load)(const EngineFile&, const EngineOptions&) = nullptr;
  std::string (*identity)() = nullptr;  ///< Null: the runtime does not tell.
  bool on_gpu = false;                  ///< Takes EngineOptions::gpu.
  bool literal = false;                 ///< Computes quantized layers in float, as their Q/DQ
                                        ///< nodes say, not in int8.
};

std::span<const BackendInfo> backends();

using yoloq::available_threads;

/// What decides, beside a graph and its options, which engine compile() makes: the backend's
/// version and the device with its kinds of instructions.
///
/// @throws Error(unsupported) if the backend does not tell; else as compile().
std::string identity(std::string_view backend = "openvino");

/// @throws Error(bad_argument) naming the known backends; Error(backend) if the runtime refuses.
std::shared_ptr<Engine> compile(const graph::Graph& graph, const EngineOptions& options = {});

/// Reads a file that Engine::save() wrote. Backend and float type are the file's; threads, streams,
/// mode and profile are those of `options`.
///
/// @throws Error(corrupt_file) if it is no such file, Error(unsupported) if another version or kind
///     of machine wrote it.
std::shared_ptr<Engine> load(const std::filesystem::path& path, const EngineOptions& options = {});

}  // namespace yoloq::runtime
