// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <ostream>
#include <string>
#include <thread>

#include "core/error.h"
#include "core/file.h"
#include "graph/text.h"
#include "runtime/cpu.h"
#include "runtime/engine.h"
#include "runtime/engine_file.h"
#include "runtime/measure.h"
#include "runtime/oracle.h"
#include "runtime/verify.h"
#include "support/data.h"

namespace yoloq::runtime {

void PrintTo(const BackendInfo& info, std::ostream* out) { *out << info.name; }

namespace {

using graph::Graph;
using graph::parse;
using testing::AllOf;
using testing::AnyOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

/// float32 sums in another order.
constexpr double kFloatTolerance = 1e-5;

/// bfloat16 keeps 8 bits of each value: 2^-9 each, over 27 products.
constexpr double kShortFloatTolerance = 0.02;

std::vector<BackendInfo> available_backends() {
  std::vector<BackendInfo> rows;
  std::ranges::copy_if(backends(), std::back_inserter(rows), &BackendInfo::available);
  return rows;
}

/// What the Engine interface promises, checked for each backend that is built in and that finds its
/// device here.
class EveryRuntime : public testing::TestWithParam<BackendInfo> {
 protected:
  void SetUp() override {
    if (!GetParam().on_gpu) return;
    try {
      identity(GetParam().name);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::unsupported) throw;
      GTEST_SKIP() << error.what();
    }
  }

  std::shared_ptr<Engine> build(const Graph& graph, EngineOptions options = {}) const {
    options.backend = GetParam().name;
    if (on_gpu()) {
      options.threads = 0;
      options.gpu.shapes = profile_of(graph);
    }
    return compile(graph, options);
  }

  bool on_gpu() const { return GetParam().on_gpu; }

  /// Nothing to show of 8-bit kernels.
  bool without_int8() const { return GetParam().on_gpu || GetParam().literal; }

 private:
  /// Every shape that these tests take, where sizes are open; none where all are known.
  static std::optional<ShapeProfile> profile_of(const Graph& graph) {
    const auto& dims = graph.inputs.front().type.dims;
    if (!dims || graph::fixed_shape(*dims)) return std::nullopt;
    return ShapeProfile{.least = {1, 3, 8, 8}, .best = {1, 3, 16, 16}, .most = {4, 3, 64, 64}};
  }
};

/// x [N, 3, H, W] -> its convolution "y", the Sigmoid of that, "s", and x itself doubled, "x2".
Graph three_outputs() {
  Graph graph = parse(R"(
      input x float32[N,3,H,W]
      two = float32[] {2.0}
      y = Conv(x, weight, bias) pads=[1,1,1,1] @model.0.conv
      s = Sigmoid(y)
      x2 = Mul(x, two)
      return s float32[N,8,H,W], x2 float32[N,3,H,W], y float32[N,8,H,W])");
  graph.constants["weight"] = test::random_tensor({8, 3, 3, 3}, 1);
  graph.constants["bias"] = test::random_tensor({8}, 2);
  std::erase_if(graph.inputs, [](const graph::Port& port) { return port.name != "x"; });
  graph.metadata = {{"names", "['a', 'b']"}, {"stride", "32"}};
  return graph;
}

ErrorCode code_of(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& error) {
    return error.code();
  }
  ADD_FAILURE() << "nothing was thrown";
  return ErrorCode::bad_state;
}

TEST_P(EveryRuntime, ComputesWhatOnnxRuntimeDoes) {
  const Graph graph = three_outputs();
  const std::vector<Tensor> inputs{test::random_tensor({2, 3, 16, 24}, 3)};
  const auto expected = test::run_in_onnxruntime(graph, inputs);

  const auto outputs = run(*build(graph), inputs);

  ASSERT_EQ(outputs.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_LT(test::relative_difference(expected[i], outputs[i]), kFloatTolerance) << i;
  }
}

TEST_P(EveryRuntime, ComputesInAFloatTypeOrRefusesIt) {
  const Graph graph = three_outputs();
  const std::vector<Tensor> inputs{test::random_tensor({1, 3, 16, 16}, 9)};
  const auto expected = run(*build(graph), inputs);

  for (const FloatType type : {FloatType::bf16, FloatType::f16}) {
    std::shared_ptr<Engine> engine;
    try {
      engine = build(graph, {.float_type = type});
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::unsupported) << error.what();
      continue;
    }
    const auto outputs = run(*engine, inputs);
    EXPECT_LT(test::relative_difference(expected[2], outputs[2]), kShortFloatTolerance);
    if (on_gpu()) continue;  // Where several types are allowed the builder takes what is faster.
    EXPECT_THAT(engine->layers(), Contains(testing::Field(&LayerInfo::precision, name_of(type))));
  }
}

TEST_P(EveryRuntime, KeepsOrderAndNamesAndMetadata) {
  const Graph graph = three_outputs();

  const auto engine = build(graph);

  ASSERT_EQ(engine->inputs().size(), 1u);
  EXPECT_EQ(engine->inputs()[0].name, "x");
  EXPECT_EQ(engine->inputs()[0].dtype, DType::f32);
  EXPECT_EQ(engine->inputs()[0].dims[1], graph::Dim::fixed(3));
  EXPECT_FALSE(engine->inputs()[0].dims[0].known());
  ASSERT_EQ(engine->outputs().size(), 3u);
  EXPECT_EQ(engine->outputs()[0].name, "s");
  EXPECT_EQ(engine->outputs()[1].name, "x2");
  EXPECT_EQ(engine->outputs()[2].name, "y");
  EXPECT_EQ(engine->metadata(), graph.metadata);
}

TEST_P(EveryRuntime, TakesAnotherShapeWithEachRun) {
  const auto engine = build(three_outputs());
  const auto request = engine->make_request();

  for (const Shape& shape : {Shape{1, 3, 8, 8}, Shape{3, 3, 16, 8}, Shape{1, 3, 8, 8}}) {
    const Tensor input = test::random_tensor(shape, 4);
    fill(*request, {{input}});
    request->run();

    const TensorView doubled = request->output(1);
    EXPECT_EQ(doubled.shape, shape);
    EXPECT_FLOAT_EQ(doubled.values<float>().back(), 2 * input.values<float>().back());
  }
}

TEST_P(EveryRuntime, RefusesAShapeThatDoesNotFit) {
  const auto request = build(three_outputs())->make_request();

  EXPECT_EQ(code_of([&] { request->input(0); }), ErrorCode::bad_argument);
  EXPECT_EQ(code_of([&] { request->input(0, {1, 4, 8, 8}); }), ErrorCode::bad_argument);
  EXPECT_EQ(code_of([&] { request->input(0, {1, 3, 8}); }), ErrorCode::bad_argument);
  EXPECT_EQ(code_of([&] { request->input(1, {1}); }), ErrorCode::bad_argument);
  EXPECT_EQ(code_of([&] { request->output(3); }), ErrorCode::bad_argument);
}

TEST_P(EveryRuntime, NeedsNoShapeWhereAllSizesAreKnown) {
  const auto request = build(parse("input x float32[2,3]\ny = Relu(x)\nreturn y"))->make_request();

  EXPECT_EQ(request->input(0).shape, (Shape{2, 3}));
  EXPECT_EQ(code_of([&] { request->input(0, {3, 2}); }), ErrorCode::bad_argument);
}

TEST_P(EveryRuntime, GivesTheSameBitsForAnyStreamsAndThreads) {
  if (on_gpu()) GTEST_SKIP() << "each build chooses its kernels by their time";
  const Graph graph = three_outputs();
  const std::vector<Tensor> inputs{test::random_tensor({1, 3, 64, 64}, 5)};
  const auto expected = run(*build(graph, {.mode = Mode::latency, .threads = 1}), inputs);

  for (const EngineOptions& options :
       {EngineOptions{.mode = Mode::latency, .threads = 2},
        EngineOptions{.threads = 2, .streams = 2}, EngineOptions{.threads = 2, .streams = 1}}) {
    EXPECT_EQ(run(*build(graph, options), inputs), expected);
  }
}

TEST_P(EveryRuntime, RunsRequestsOfManyThreadsAtOnce) {
  const auto engine = build(three_outputs(), {.threads = 2, .streams = 2});
  constexpr int kThreads = 4;
  std::vector<std::vector<Tensor>> expected(kThreads);
  std::vector<int> wrong(kThreads, 0);
  const auto input_of = [](int thread) {
    return std::vector<Tensor>{test::random_tensor({1, 3, 8 + 8 * thread, 16}, 6)};
  };
  for (int i = 0; i < kThreads; ++i) expected[i] = run(*engine, input_of(i));

  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&, i] {
        for (int k = 0; k < 5; ++k) wrong[i] += run(*engine, input_of(i)) != expected[i];
      });
    }
  }

  EXPECT_EQ(wrong, std::vector<int>(kThreads, 0));
}

TEST_P(EveryRuntime, GivesDozensOfOutputsInTheirOrder) {
  constexpr int kOutputs = 60;
  Graph graph = parse("input v0 float32[1,4]\none = float32[] {1.0}\nreturn v0");
  graph.outputs.clear();
  for (int i = 1; i <= kOutputs; ++i) {
    graph.append({.op = "Add",
                  .inputs = {"v" + std::to_string(i - 1), "one"},
                  .outputs = {"v" + std::to_string(i)}});
  }
  for (int i = kOutputs; i >= 1; --i) {
    graph.outputs.push_back({"v" + std::to_string(i), {DType::f32, graph::Dims(2)}});
  }

  const auto engine = build(graph);
  const auto outputs = run(*engine, {{Tensor::of<float>({1, 4}, {0, 10, 20, 30})}});

  ASSERT_EQ(outputs.size(), static_cast<std::size_t>(kOutputs));
  for (int i = 0; i < kOutputs; ++i) {
    EXPECT_EQ(engine->outputs()[i].name, "v" + std::to_string(kOutputs - i));
    EXPECT_THAT(outputs[i].values<float>(),
                testing::ElementsAre(kOutputs - i, kOutputs - i + 10, kOutputs - i + 20,
                                     kOutputs - i + 30));
  }
}

TEST_P(EveryRuntime, ARequestKeepsItsEngineAlive) {
  auto engine = build(parse("input x float32[2]\ny = Relu(x)\nreturn y"));
  const auto request = engine->make_request();

  engine.reset();
  fill(*request, {{Tensor::list<float>({-1, 3})}});
  request->run();

  EXPECT_THAT(request->output(0).values<float>(), testing::ElementsAre(0, 3));
}

TEST_P(EveryRuntime, ReadsBackWhatItSaved) {
  const test::TemporaryFolder folder;
  const auto engine = build(three_outputs(), {.mode = Mode::latency, .threads = 1});
  const std::vector<Tensor> inputs{test::random_tensor({1, 3, 16, 16}, 7)};

  engine->save(folder / "model.engine");
  const auto loaded =
      load(folder / "model.engine", {.mode = Mode::latency, .threads = on_gpu() ? 0 : 1});

  EXPECT_EQ(run(*loaded, inputs), run(*engine, inputs));
  EXPECT_EQ(loaded->metadata(), engine->metadata());
  EXPECT_EQ(loaded->outputs()[1].name, "x2");
  EXPECT_EQ(loaded->description(), engine->description());
  EXPECT_EQ(loaded->layers().size(), engine->layers().size());
}

TEST_P(EveryRuntime, RefusesAFileOfAnotherVersionOrMachine) {
  const test::TemporaryFolder folder;
  build(three_outputs())->save(folder / "model.engine");
  const EngineFile file = read_engine_file(folder / "model.engine");

  EngineFile other_version = file;
  other_version.backend_version = "0.1";
  write_file(folder / "version", serialize(other_version));
  EngineFile other_device = file;
  other_device.device = "abacus";
  write_file(folder / "device", serialize(other_device));
  EngineFile no_blob = file;
  no_blob.blob = "nothing";
  write_file(folder / "blob", serialize(no_blob));

  EXPECT_EQ(code_of([&] { load(folder / "version"); }), ErrorCode::unsupported);
  EXPECT_EQ(code_of([&] { load(folder / "device"); }), ErrorCode::unsupported);
  EXPECT_EQ(code_of([&] { load(folder / "blob"); }), ErrorCode::backend);
}

TEST_P(EveryRuntime, SaysWhatItCannotCompile) {
  const Graph graph = parse("input x float32[2]\ny = acme::Frobnicate(x)\nreturn y");

  try {
    build(graph);
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::backend);
    EXPECT_THAT(error.what(), HasSubstr("Frobnicate"));
  }
}

TEST_P(EveryRuntime, RefusesImpossibleOptions) {
  const Graph graph = parse("input x float32[2]\ny = Relu(x)\nreturn y");
  const auto refusal = [&](EngineOptions options) {
    options.backend = GetParam().name;
    return code_of([&] { compile(graph, options); });
  };

  EXPECT_EQ(refusal({.threads = 1, .streams = 2}), ErrorCode::bad_argument);
  EXPECT_EQ(refusal({.threads = -1}), ErrorCode::bad_argument);
  EXPECT_EQ(refusal({.streams = -1}), ErrorCode::bad_argument);
  EXPECT_EQ(refusal({.mode = Mode::latency, .streams = 2}), ErrorCode::bad_argument);
}

TEST_P(EveryRuntime, TellsItsStreams) {
  const Graph graph = parse("input x float32[2]\ny = Relu(x)\nreturn y");

  EXPECT_EQ(build(graph, {.mode = Mode::latency})->streams(), 1);
  EXPECT_EQ(build(graph, {.threads = 1, .streams = 1})->streams(), 1);
}

TEST_P(EveryRuntime, ListsTheLayersByTheNamesOfTheGraph) {
  const auto layers = build(three_outputs())->layers();

  EXPECT_THAT(layers, Contains(testing::Field(&LayerInfo::origins, Contains("model.0.conv"))));
  for (const LayerInfo& layer : layers) EXPECT_EQ(layer.time_ms, std::nullopt);
}

TEST_P(EveryRuntime, TimesTheLayersWhenAsked) {
  const auto engine = build(three_outputs(), {.profile = true});
  run(*engine, {{test::random_tensor({1, 3, 64, 64}, 8)}});

  const auto layers = engine->layers();

  EXPECT_TRUE(std::ranges::any_of(
      layers, [](const LayerInfo& layer) { return layer.time_ms.has_value(); }));
}

/// Codes of which no two saturate 16 bits: 255 * (64 + 64) is below 2^15.
constexpr int kReduced = 64;

/// Why a GPU has nothing to show here.
constexpr auto kOfCpus = "GPUs add products of codes in 32 bits, a literal runtime none";

/// The convolutions of concat_model() that `engine` executes in int8.
std::vector<std::string> in_int8(const Engine& engine) {
  std::vector<std::string> names;
  for (const LayerInfo& layer : engine.layers()) {
    if (!is_int8(layer)) continue;
    for (const char* name : {"first", "second", "third"}) {
      if (std::ranges::count(layer.origins, name) != 0) names.push_back(name);
    }
  }
  return names;
}

TEST_P(EveryRuntime, RunsQuantizedConvolutionsInInt8WhereTheyAreComputedRight) {
  if (GetParam().literal) GTEST_SKIP() << "a literal runtime has no int8 kernels";
  const auto engine = build(test::concat_model());

  if (on_gpu() || has_int8_dot_product()) {
    EXPECT_THAT(in_int8(*engine), UnorderedElementsAre("first", "second", "third"));
    EXPECT_THAT(engine->notices(), IsEmpty());
  } else {
    EXPECT_THAT(in_int8(*engine), IsEmpty());
    EXPECT_THAT(engine->notices(), ElementsAre(HasSubstr("3 of 3 layers")));
  }
}

TEST_P(EveryRuntime, RunsReducedCodesInInt8OnEveryCpu) {
  if (without_int8()) GTEST_SKIP() << kOfCpus;
  for (const Int8Sums sums : {Int8Sums::of_cpu, Int8Sums::exact, Int8Sums::saturating}) {
    const auto engine = build(test::concat_model(kReduced), {.int8_sums = sums});

    EXPECT_THAT(in_int8(*engine), UnorderedElementsAre("first", "second", "third"));
    EXPECT_THAT(engine->notices(), IsEmpty());
  }
}

TEST_P(EveryRuntime, TakesEachWayOfInt8SumsOnEveryCpu) {
  if (without_int8()) GTEST_SKIP() << kOfCpus;
  const auto exact = build(test::concat_model(), {.int8_sums = Int8Sums::exact});
  const auto saturating = build(test::concat_model(), {.int8_sums = Int8Sums::saturating});

  EXPECT_THAT(in_int8(*exact), UnorderedElementsAre("first", "second", "third"));
  EXPECT_THAT(exact->notices(), IsEmpty());
  EXPECT_THAT(in_int8(*saturating), IsEmpty());
  EXPECT_THAT(saturating->notices(),
              ElementsAre(AllOf(HasSubstr("3 of 3 layers"), HasSubstr("--reduce-range"))));
}

TEST_P(EveryRuntime, RemembersNoticesInAFile) {
  if (without_int8()) GTEST_SKIP() << kOfCpus;
  const test::TemporaryFolder folder;
  const auto engine = build(test::concat_model(), {.int8_sums = Int8Sums::saturating});

  engine->save(folder / "model.engine");

  EXPECT_THAT(engine->notices(), testing::SizeIs(1));
  EXPECT_EQ(load(folder / "model.engine")->notices(), engine->notices());
}

TEST_P(EveryRuntime, RefusesAFileOfACpuWithOtherInt8Instructions) {
  if (without_int8()) GTEST_SKIP() << kOfCpus;
  const test::TemporaryFolder folder;
  build(three_outputs())->save(folder / "model.engine");
  EngineFile file = read_engine_file(folder / "model.engine");
  const std::string own = has_int8_dot_product() ? " with 8-bit" : " without 8-bit";
  const auto at = file.device.find(own);
  ASSERT_NE(at, std::string::npos) << file.device;

  file.device.replace(at, own.size(), has_int8_dot_product() ? " without 8-bit" : " with 8-bit");
  write_file(folder / "model.engine", serialize(file));

  EXPECT_EQ(code_of([&] { load(folder / "model.engine"); }), ErrorCode::unsupported);
}

TEST_P(EveryRuntime, TellsWhatDecidesHowItCompiles) {
  const std::string text = identity(GetParam().name);

  EXPECT_THAT(text, HasSubstr(" on "));
  EXPECT_EQ(identity(GetParam().name), text);
}

/// The same text whatever is built in: a backend without its device says what is missing.
TEST(Identity, IsRefusedWhereTheDeviceIsMissing) {
  for (const BackendInfo& backend : available_backends()) {
    try {
      identity(backend.name);
    } catch (const Error& error) {
      EXPECT_TRUE(backend.on_gpu) << backend.name;
      EXPECT_EQ(error.code(), ErrorCode::unsupported);
      EXPECT_THAT(error.what(), AnyOf(HasSubstr("no GPU can be used"),
                                      HasSubstr("cannot be opened"), HasSubstr("build it again")));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Of, EveryRuntime, testing::ValuesIn(available_backends()),
                         [](const auto& row) {
                           std::string name(row.param.name);
                           std::ranges::replace(name, '-', '_');  // As GoogleTest wants names.
                           return name;
                         });
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(EveryRuntime);

}  // namespace
}  // namespace yoloq::runtime
