// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <NvInfer.h>

#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "graph/graph.h"
#include "runtime/engine.h"
#include "runtime/engine_file.h"
#include "runtime/tensorrt/detail/cuda.h"
#include "runtime/tensorrt/detail/log.h"
#include "runtime/tensorrt/detail/profiler.h"

namespace yoloq::runtime::tensorrt {

/// EngineFile::device of a plan that the stand-in built on a machine without a GPU.
inline constexpr std::string_view kNoDevice = "none: built without a GPU";

/// What runs a plan: one batch at a time.
struct Context {
  std::unique_ptr<nvinfer1::IExecutionContext> trt;
  std::mutex mutex;     ///< Held from the setting of shapes to the end of the run.
  bool shared = false;  ///< By all requests, where they cannot have one each.
};

/// A deserialized plan on its device.
struct Loaded {
  Device device;
  std::unique_ptr<nvinfer1::IRuntime> runtime;
  std::unique_ptr<nvinfer1::ICudaEngine> engine;
  std::shared_ptr<Context> shared;  ///< The one of all requests, once it was made.
};

/// A plan, which comes onto its device when it is first needed there.
class TensorRtEngine final : public Engine, public std::enable_shared_from_this<TensorRtEngine> {
 public:
  /// @param built  what the builder told of the layers; empty for a plan from a file.
  TensorRtEngine(EngineFile file, const EngineOptions& options, std::vector<LayerInfo> built = {})
      : file_(std::move(file)), options_(options), built_(std::move(built)), log_(options.log) {}

  /// What compile() knows before anything is on a device.
  void describe(const graph::Graph& graph);

  /// What an engine file does not say itself. Loads the plan.
  void describe_from_plan();

  std::span<const PortInfo> inputs() const override { return inputs_; }
  std::span<const PortInfo> outputs() const override { return outputs_; }
  const Metadata& metadata() const override { return file_.metadata; }
  std::unique_ptr<Request> make_request() override;
  std::shared_ptr<Engine> on_device(int index) const override;
  int streams() const override;
  FloatType float_type() const override { return float_type_of(file_.float_type); }
  std::vector<LayerInfo> layers() const override;
  void save(const std::filesystem::path& path) const override;
  std::string description() const override;
  bool runnable() const override { return file_.device != kNoDevice; }

  const EngineOptions& options() const { return options_; }
  Log& log() const { return log_; }

 private:
  /// Loads the plan, once. Call under the lock, or before anybody else knows the engine.
  Loaded& loaded() const;

  /// A context for one request, or the one that all share. Call under the lock.
  std::shared_ptr<Context> context() const;

  bool has_open_sizes() const { return !graph::fixed_shape(inputs_.front().dims); }

  EngineFile file_;
  EngineOptions options_;
  std::vector<LayerInfo> built_;  // All that can be told of a plan which cannot be loaded here.
  mutable Log log_;
  std::vector<PortInfo> inputs_;
  std::vector<PortInfo> outputs_;
  mutable Profiler profiler_;
  mutable std::mutex mutex_;
  mutable std::optional<Loaded> loaded_;  // Guarded by mutex_.
};

}  // namespace yoloq::runtime::tensorrt
