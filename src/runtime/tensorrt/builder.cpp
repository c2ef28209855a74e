// SPDX-License-Identifier: Apache-2.0
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "core/error.h"
#include "onnx/model_file.h"
#include "runtime/tensorrt/backend.h"
#include "runtime/tensorrt/build_log.h"
#include "runtime/tensorrt/check_graph.h"
#include "runtime/tensorrt/detail/dims.h"
#include "runtime/tensorrt/detail/library.h"
#include "runtime/tensorrt/detail/log.h"
#include "runtime/tensorrt/detail/native_ptq.h"
#include "runtime/tensorrt/detail/plan.h"
#include "runtime/tensorrt/detail/timing_cache.h"
#include "runtime/tensorrt/detail/version.h"
#include "runtime/tensorrt/spell_out_weights.h"

namespace yoloq::runtime::tensorrt {

using graph::Graph;

namespace {

bool is_open(const graph::Port& port) {
  return port.type.dims && !graph::fixed_shape(*port.type.dims);
}

bool fits(const graph::Dims& dims, const Shape& shape) {
  return std::ranges::equal(dims, shape, [](const graph::Dim& dim, std::int64_t size) {
    return size > 0 && (!dim.known() || dim.size == size);
  });
}

void require_order(const ShapeProfile& shapes, const graph::Port& input) {
  for (const Shape* shape : {&shapes.least, &shapes.best, &shapes.most}) {
    if (fits(*input.type.dims, *shape)) continue;
    fail(ErrorCode::bad_argument, "the shape {} does not fit the input '{}'", to_string(*shape),
         input.name);
  }
  for (std::size_t i = 0; i < shapes.best.size(); ++i) {
    if (shapes.least[i] <= shapes.best[i] && shapes.best[i] <= shapes.most[i]) continue;
    fail(ErrorCode::bad_argument,
         "the shapes {}, {}, {} are not in order: smallest, best and largest are wanted",
         to_string(shapes.least), to_string(shapes.best), to_string(shapes.most));
  }
}

nvinfer1::TacticSource kernel_source_named(std::string_view name) {
  std::string known;
  for (const KernelSourceRow& row : kKernelSources) {
    if (row.name == name) return row.source;
    known += (known.empty() ? "" : ", ") + std::string(row.name);
  }
  fail(ErrorCode::bad_argument, "TensorRT {}.{} has no tactic source '{}'; known: {}", kMajor,
       kMinor, name, known);
}

/// What TensorRT says when it finds no kernel for a layer.
constexpr std::string_view kNoKernel = "Could not find any implementation";

/// One build: the objects must go in the reverse of the order in which they came.
class Build {
 public:
  Build(const Graph& graph, const EngineOptions& options, const std::string& device)
      : graph_(graph),
        options_(options),
        log_([this](std::string_view message) { listen(message); }),
        timing_cache_(options.gpu.timing_cache, Library::get().version() + " on " + device),
        builder_(Library::get().make_builder(log_)),
        network_(owned(builder_->createNetworkV2(kNetworkFlags), "network")),
        parser_(Library::get().make_parser(*network_, log_)),
        config_(owned(builder_->createBuilderConfig(), "builder configuration")) {}

  Plan run() {
    parse();
    set_types();
    set_profile();
    set_calibration();
    leave_out_foreign_kernels(*config_);
    choose_kernels();
    timing_cache_.attach(*config_, log_);
    share_profiles(*config_);
    config_->setProfilingVerbosity(nvinfer1::ProfilingVerbosity::kDETAILED);
    if (options_.gpu.workspace_mib > 0) {
      config_->setMemoryPoolLimit(nvinfer1::MemoryPoolType::kWORKSPACE,
                                  options_.gpu.workspace_mib << 20);
    }
    const std::unique_ptr<nvinfer1::IHostMemory> plan(
        builder_->buildSerializedNetwork(*network_, *config_));
    if (calibration_) calibration_->rethrow();
    if (!plan) refuse();
    timing_cache_.save(log_);
    return {.bytes = {static_cast<const char*>(plan->data()), plan->size()},
            .layers = std::move(layers_)};
  }

 private:
  [[noreturn]] void refuse() {
    const std::string errors = log_.take_errors();
    if (options_.gpu.native_ptq && errors.find(kNoKernel) != std::string::npos) {
      fail(ErrorCode::backend,
           "TensorRT has no kernel for a layer with the ranges of '--native-ptq {}'; calibrate in "
           "another way (known: {}), or build a Q/DQ file of 'yoloq quantize'. In its words: {}",
           options_.gpu.native_ptq->method, fmt::join(native_calibrators(), ", "), errors);
    }
    fail(ErrorCode::backend, "TensorRT cannot build the model: {}", errors);
  }

  /// Every line that TensorRT says: one of them lists the layers of the plan.
  void listen(std::string_view message) {
    if (options_.log) options_.log(message);
    const auto listed = read_build_log(message);
    if (listed.empty()) return;
    layers_.clear();
    for (const BuiltLayer& layer : listed) {
      if (computes(layer)) layers_.push_back(layer_info(layer));
    }
  }

  template <typename T>
  std::unique_ptr<T> owned(T* object, std::string_view what) {
    if (object != nullptr) return std::unique_ptr<T>(object);
    fail(ErrorCode::backend, "TensorRT makes no {}: {}", what, log_.take_errors());
  }

  void parse() {
    const std::string bytes = onnx::serialize(graph_);
    if (parser_->parse(bytes.data(), bytes.size())) return;
    std::string errors;
    for (int i = 0; i < parser_->getNbErrors(); ++i) {
      const nvonnxparser::IParserError& error = *parser_->getError(i);
      errors += (errors.empty() ? "" : "; ") + place_of(error) + error.desc();
    }
    fail(ErrorCode::backend, "TensorRT cannot read the model: {}",
         errors.empty() ? log_.take_errors() : errors);
  }

  /// "node 'model.9.m' (Foo): ": the parser numbers nodes as they stand in the file.
  std::string place_of(const nvonnxparser::IParserError& error) const {
    const auto nodes = graph_.nodes();
    if (error.node() >= 0 && error.node() < std::ssize(nodes)) {
      const graph::Node& node = graph_[nodes[static_cast<std::size_t>(error.node())]];
      return fmt::format("node '{}' ({}): ", node.name.empty() ? node.output() : node.name,
                         node.op);
    }
    const std::string name = node_name_of(error);
    return name.empty() ? "" : "node '" + name + "': ";
  }

  void set_types() {
    config_->clearFlag(nvinfer1::BuilderFlag::kTF32);  // f32 means f32.
    if (!allow_float_type(*config_, options_.float_type)) {
      fail(ErrorCode::unsupported, "TensorRT {}.{} has no {}; known: f32, f16", kMajor, kMinor,
           name_of(options_.float_type));
    }
    const auto nodes = graph_.nodes();
    const bool quantized = std::ranges::any_of(
        nodes, [&](graph::NodeId id) { return graph_[id].op == "QuantizeLinear"; });
    if (quantized && options_.gpu.native_ptq) {
      fail(ErrorCode::bad_argument,
           "the model has QuantizeLinear already: TensorRT calibrates float models only");
    }
    if (quantized || options_.gpu.native_ptq) allow_int8(*config_);
  }

  void set_profile() {
    const auto open = std::ranges::find_if(graph_.inputs, is_open);
    const auto& shapes = options_.gpu.shapes;
    if (open == graph_.inputs.end()) {
      if (!shapes) return;
      fail(ErrorCode::bad_argument,
           "all sizes of the model are fixed, so a range of shapes cannot be built: export it "
           "with --dynamic");
    }
    if (!shapes) {
      fail(ErrorCode::bad_argument,
           "the input '{}' has open sizes: say which are wanted with --min-shape, --opt-shape and "
           "--max-shape",
           open->name);
    }
    if (open != graph_.inputs.begin() || std::ranges::count_if(graph_.inputs, is_open) > 1) {
      fail(ErrorCode::unsupported, "only the first input may have open sizes, '{}' has",
           open->name);
    }
    require_order(*shapes, *open);
    nvinfer1::IOptimizationProfile* profile = builder_->createOptimizationProfile();
    using Selector = nvinfer1::OptProfileSelector;
    const char* name = open->name.c_str();
    const bool set = profile != nullptr &&
                     profile->setDimensions(name, Selector::kMIN, to_dims(shapes->least)) &&
                     profile->setDimensions(name, Selector::kOPT, to_dims(shapes->best)) &&
                     profile->setDimensions(name, Selector::kMAX, to_dims(shapes->most)) &&
                     config_->addOptimizationProfile(profile) >= 0;
    if (!set) fail(ErrorCode::backend, "TensorRT refuses the shapes: {}", log_.take_errors());
    profile_ = profile;
  }

  void set_calibration() {
    if (!options_.gpu.native_ptq) {
      if (options_.gpu.float_layers.empty()) return;
      fail(ErrorCode::bad_argument,
           "layers are kept in float by --native-ptq only; in a Q/DQ file it is 'yoloq quantize "
           "--skip-layers' that does it");
    }
    calibration_ = make_native_calibration(*options_.gpu.native_ptq);
    attach_calibration();
    fix_layers();
  }

  void choose_kernels() {
    auto sources = config_->getTacticSources();
    for (const auto& [name, wanted] : options_.gpu.kernel_sources) {
      const auto bit = 1U << static_cast<unsigned>(kernel_source_named(name));
      sources = wanted ? sources | bit : sources & ~bit;
    }
    if (options_.gpu.kernel_sources.empty() || config_->setTacticSources(sources)) return;
    fail(ErrorCode::backend, "TensorRT refuses the tactic sources: {}", log_.take_errors());
  }

  void attach_calibration();
  void fix_layers();

  const Graph& graph_;
  const EngineOptions& options_;
  std::vector<LayerInfo> layers_;
  Log log_;
  TimingCache timing_cache_;
  std::unique_ptr<nvinfer1::IBuilder> builder_;
  std::unique_ptr<nvinfer1::INetworkDefinition> network_;
  std::unique_ptr<nvonnxparser::IParser> parser_;
  std::unique_ptr<nvinfer1::IBuilderConfig> config_;
  std::unique_ptr<NativeCalibration> calibration_;
  nvinfer1::IOptimizationProfile* profile_ = nullptr;  // The builder's own.
};

#if NV_TENSORRT_MAJOR <= 10
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

void Build::attach_calibration() {
  calibration_->attach(*config_);
  if (profile_ != nullptr) config_->setCalibrationProfile(profile_);
}

/// The parser calls a layer as its node.
void Build::fix_layers() {
  std::map<std::string, FloatType, std::less<>> wanted;
  for (const LayerType& layer : options_.gpu.float_layers) wanted[layer.layer] = layer.type;
  for (int i = 0; i < network_->getNbLayers(); ++i) {
    nvinfer1::ILayer& layer = *network_->getLayer(i);
    const auto type = wanted.find(layer.getName());
    if (type == wanted.end()) continue;
    fix_type(*config_, layer, type->second);
    wanted.erase(type);
  }
  if (wanted.empty()) return;
  fail(ErrorCode::not_found, "TensorRT's network has no layer '{}'", wanted.begin()->first);
}

#pragma GCC diagnostic pop
#else
void Build::attach_calibration() {}
void Build::fix_layers() {}
#endif

}  // namespace

Plan build_plan(const Graph& graph, const EngineOptions& options, const std::string& device) {
  require_symmetric_int8(graph);
  if constexpr (!kWeaklyTyped) require_float_type(graph, options.float_type);
  if constexpr (!kReadsHalfScales) require_float32_scales(graph);
  if constexpr (kReadsInt8Weights) return Build(graph, options, device).run();
  Graph spelled_out = graph;
  say_kernel_shapes(spelled_out);
  spell_out_weights(spelled_out);
  return Build(spelled_out, options, device).run();
}

}  // namespace yoloq::runtime::tensorrt
