// SPDX-License-Identifier: Apache-2.0
#include "runtime/tensorrt/fake_nvinfer.h"

#include <NvInfer.h>
#include <NvOnnxParser.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "runtime/tensorrt/virtual_table.h"

namespace yoloq::test {
namespace {

using namespace nvinfer1;  // NOLINT(google-build-using-namespace): this file is a part of it.
using Any = const void*;   // The object of a method: there is one of each kind.

constexpr std::string_view kPlan = "fake plan";

Dims dims_of(std::int32_t batch, std::int32_t side) {
  Dims dims{};
  dims.nbDims = 4;
  dims.d[0] = batch;
  dims.d[1] = 3;
  dims.d[2] = dims.d[3] = side;
  return dims;
}

FakeNvInfer knobs{.version = NV_TENSORRT_VERSION};
ILogger* logger = nullptr;
std::array<Dims, 3> profile;  // Least, best, most.
Dims shape{};                 // Of the next run.
const float* input = nullptr;
float* output = nullptr;

/// What a step that fails gives, after it has said why.
std::nullptr_t failure() {
  if (!knobs.error.empty()) logger->log(ILogger::Severity::kERROR, knobs.error.c_str());
  return nullptr;
}

/// What a caller gets and deletes: the public class around a hollow one.
template <class Public, class Hidden>
Public* shell(Hollow<Hidden>& hollow) {
  struct Shell final : Public {
    explicit Shell(Hidden* hidden) { this->mImpl = hidden; }
  };
  return new Shell(hollow.get());
}

bool run() {
  if (!knobs.runs) return failure() != nullptr;
  std::int64_t count = 1;
  for (int i = 0; i < shape.nbDims; ++i) count *= shape.d[i];
  std::transform(input, input + count, output, [](float value) { return 2 * value; });
  knobs.batches.push_back(shape.d[0]);
  return true;
}

IEngineInspector* make_inspector() {
  static auto hollow =
      Hollow<apiv::VEngineInspector>()
          .set<&apiv::VEngineInspector::setExecutionContext>([](Any, auto&&...) { return true; })
          .set<&apiv::VEngineInspector::getEngineInformation>([](Any, auto&&...) {
            return R"({"Layers": [{"Name": "y", "LayerType": "PointWise"}]})";
          });
  return knobs.gives_inspector ? shell<IEngineInspector>(hollow) : failure();
}

IExecutionContext* make_context() {
  using Context = apiv::VExecutionContext;
  static auto hollow =
      Hollow<Context>()
          .set<&Context::setInputShape>([](Any, const char*, const Dims& dims) {
            shape = dims;
            return true;
          })
          .set<&Context::setTensorAddress>([](Any, std::string_view name, void* at) {
            (name == "x" ? const_cast<float*&>(input) : output) = static_cast<float*>(at);
            return true;
          })
          .set<&Context::getTensorShape>([](Any, auto&&...) { return shape; })
          .set<&Context::enqueueV3>([](Any, auto&&...) { return run(); });
  if (!knobs.gives_context) return failure();
  ++knobs.contexts;
  return shell<IExecutionContext>(hollow);
}

ICudaEngine* load(const void* bytes, std::size_t size) {
  using Engine = apiv::VCudaEngine;
  static auto hollow =
      Hollow<Engine>()
          .set<&Engine::getTensorShape>([](Any, auto&&...) { return dims_of(-1, -1); })
          .set<&Engine::getTensorDataType>([](Any, auto&&...) { return DataType::kFLOAT; })
          .set<&Engine::getProfileShape>([](Any, const char*, int, OptProfileSelector selector) {
            return profile.at(static_cast<std::size_t>(selector));
          })
          .set<&Engine::createExecutionContext>([](Any, auto&&...) { return make_context(); })
          .set<&Engine::createEngineInspector>([](Any, auto&&...) { return make_inspector(); });
  const std::string_view plan(static_cast<const char*>(bytes), size);
  return knobs.deserializes && plan == kPlan ? shell<ICudaEngine>(hollow) : failure();
}

IRuntime* make_runtime() {
  using Runtime = apiv::VRuntime;
#if NV_TENSORRT_MAJOR <= 9
  using Load = ICudaEngine* (Runtime::*)(const void*, std::size_t, IPluginFactory*) noexcept;
#else
  using Load = ICudaEngine* (Runtime::*)(const void*, std::size_t) noexcept;
#endif
  static auto hollow = Hollow<Runtime>().set<static_cast<Load>(&Runtime::deserializeCudaEngine)>(
      [](Any, const void* bytes, std::size_t size, auto&&...) { return load(bytes, size); });
  return shell<IRuntime>(hollow);
}

/// Asks for every batch, or takes the cache: as TensorRT up to 10 does while it builds.
#if NV_TENSORRT_MAJOR <= 10
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
IInt8Calibrator* calibrator = nullptr;

void calibrate() {
  IInt8Calibrator* const feed = std::exchange(calibrator, nullptr);
  std::size_t length = 0;
  if (feed == nullptr || feed->readCalibrationCache(length) != nullptr) return;
  void* batch = nullptr;
  const char* name = "x";
  while (feed->getBatch(&batch, &name, 1)) {
    knobs.calibrated.push_back(*static_cast<const float*>(batch));
  }
  feed->writeCalibrationCache(kPlan.data(), kPlan.size());
}

void take_calibrator(Hollow<apiv::VBuilderConfig>& config) {
  calibrator = nullptr;  // That of a build that failed.
  config.set<&apiv::VBuilderConfig::setInt8Calibrator>(
      [](Any, IInt8Calibrator* given) { calibrator = given; });
}
#pragma GCC diagnostic pop
#else
void calibrate() {}
void take_calibrator(Hollow<apiv::VBuilderConfig>&) {}
#endif

IHostMemory* build() {
  calibrate();
  static auto hollow =
      Hollow<apiv::VHostMemory>()
          .set<&apiv::VHostMemory::data>([](Any) { return const_cast<char*>(kPlan.data()); })
          .set<&apiv::VHostMemory::size>([](Any) { return kPlan.size(); });
  if (knobs.builds) knobs.timing_cache += kFakeTime;
  return knobs.builds ? shell<IHostMemory>(hollow) : failure();
}

ITimingCache* make_timing_cache(const void* bytes, std::size_t size) {
  using Memory = apiv::VHostMemory;
  static auto memory =
      Hollow<Memory>()
          .set<&Memory::data>([](Any) { return static_cast<void*>(knobs.timing_cache.data()); })
          .set<&Memory::size>([](Any) { return knobs.timing_cache.size(); });
  static auto hollow = Hollow<apiv::VTimingCache>().set<&apiv::VTimingCache::serialize>(
      [](Any) { return shell<IHostMemory>(memory); });
  knobs.timing_cache.assign(static_cast<const char*>(bytes), size);
  return knobs.reads_timing_cache ? shell<ITimingCache>(hollow) : failure();
}

bool take_timing_cache() {
  if (!knobs.takes_timing_cache) failure();
  if (!knobs.complaint.empty()) logger->log(ILogger::Severity::kERROR, knobs.complaint.c_str());
  return knobs.takes_timing_cache;
}

bool take_tactic_sources(std::uint32_t sources) {
  if (!knobs.takes_tactic_sources) return failure() != nullptr;
  knobs.tactic_sources = sources;
  return true;
}

Hollow<apiv::VBuilderConfig> make_config() {
  using Config = apiv::VBuilderConfig;
  return Hollow<Config>()
      .set<&Config::addOptimizationProfile>([](Any, auto&&...) {
        if (!knobs.takes_profile) failure();
        return knobs.takes_profile ? 0 : -1;
      })
      .set<&Config::createTimingCache>(
          [](Any, const void* bytes, std::size_t size) { return make_timing_cache(bytes, size); })
      .set<&Config::setTimingCache>([](Any, auto&&...) { return take_timing_cache(); })
      .set<&Config::getTacticSources>([](Any) { return knobs.tactic_sources; })
      .set<&Config::setTacticSources>(
          [](Any, std::uint32_t sources) { return take_tactic_sources(sources); });
}

IBuilder* make_builder() {
  using Builder = apiv::VBuilder;
  static Hollow<apiv::VNetworkDefinition> network;
  static auto config = make_config();
  take_calibrator(config);
  static auto shapes =
      Hollow<apiv::VOptimizationProfile>().set<&apiv::VOptimizationProfile::setDimensions>(
          [](Any, const char*, OptProfileSelector selector, const Dims& dims) {
            profile.at(static_cast<std::size_t>(selector)) = dims;
            return true;
          });
  static IOptimizationProfile* const set_of_shapes = shell<IOptimizationProfile>(shapes);
  static auto hollow =
      Hollow<Builder>()
          .set<&Builder::createNetworkV2>(
              [](Any, auto&&...) { return shell<INetworkDefinition>(network); })
          .set<&Builder::createBuilderConfig>([](Any) { return shell<IBuilderConfig>(config); })
          .set<&Builder::createOptimizationProfile>([](Any) { return set_of_shapes; })
          .set<&Builder::buildSerializedNetwork>([](Any, auto&&...) { return build(); });
  return knobs.gives_builder ? shell<IBuilder>(hollow) : failure();
}

const nvonnxparser::IParserError* parse_error(int index) {
  using Fault = nvonnxparser::IParserError;
  static int chosen = 0;
  static auto hollow =
      Hollow<Fault>()
          .set<&Fault::desc>([](Any) { return knobs.parse_errors.at(chosen).text.c_str(); })
          .set<&Fault::node>([](Any) { return knobs.parse_errors.at(chosen).node; });
  chosen = index;
  return hollow.get();
}

nvonnxparser::IParser* make_parser() {
  using Parser = nvonnxparser::IParser;
  static auto hollow =
      Hollow<Parser>()
          .set<&Parser::parse>([](Any, auto&&...) { return knobs.parse_errors.empty(); })
          .set<&Parser::getNbErrors>(
              [](Any) { return static_cast<int>(knobs.parse_errors.size()); })
          .set<&Parser::getError>([](Any, int index) { return parse_error(index); });
  return hollow.get();
}

}  // namespace
}  // namespace yoloq::test

extern "C" {

yoloq::test::FakeNvInfer* yoloq_fake_nvinfer() { return &yoloq::test::knobs; }

std::int32_t getInferLibVersion() noexcept { return yoloq::test::knobs.version; }

void* createInferBuilder_INTERNAL(void* log, std::int32_t) noexcept {
  yoloq::test::logger = static_cast<nvinfer1::ILogger*>(log);
  return yoloq::test::make_builder();
}

void* createInferRuntime_INTERNAL(void* log, std::int32_t) noexcept {
  yoloq::test::logger = static_cast<nvinfer1::ILogger*>(log);
  return yoloq::test::make_runtime();
}

void* createNvOnnxParser_INTERNAL(void*, void*,
                                  int) noexcept(noexcept(createNvOnnxParser_INTERNAL(nullptr,
                                                                                     nullptr, 0))) {
  return yoloq::test::make_parser();
}

}  // extern "C"
