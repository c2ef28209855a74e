// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/layer_kinds.h"
#include "cli/provenance.h"
#include "cli/table.h"
#include "core/error.h"
#include "pipeline/detector.h"
#include "runtime/gpu_state.h"
#include "runtime/measure.h"
#include "runtime/unfused.h"

namespace yoloq::cli {

namespace {

using Json = nlohmann::ordered_json;

struct BenchArguments {
  ModelArguments model;
  SizeArguments size;
  EngineArguments engine;
  JsonArguments json;
  std::vector<std::filesystem::path> compare;
  std::vector<int> batches;
  double seconds = 3.0;
  int rounds = 10;
};

/// A compiled model with inputs to run it on.
struct Subject {
  pipeline::LoadedDetector loaded;
  std::vector<Tensor> inputs;
};

Subject prepare(const BenchArguments& arguments, const std::filesystem::path& path,
                runtime::Mode mode, int batch) {
  auto engine = arguments.engine.options(mode);
  if (mode == runtime::Mode::latency) engine.streams = 0;
  pipeline::ModelOptions model{.size = arguments.size.size(), .hints = arguments.model.hints()};
  if (batch > 1) model.batch = batch;
  Subject subject{.loaded = pipeline::load_detector(path, model, engine)};
  const auto& detector = subject.loaded.detector;
  const Shape shape{detector.batch, 3, detector.size.height, detector.size.width};
  subject.inputs = runtime::random_inputs(*detector.engine, {{shape}});
  return subject;
}

std::vector<int> batches_of(const BenchArguments& arguments) {
  return arguments.batches.empty() ? std::vector<int>{arguments.engine.batch_size}
                                   : arguments.batches;
}

Json json_of(const runtime::Spread& spread) {
  return {{"p50", spread.p50_ms},
          {"p90", spread.p90_ms},
          {"p99", spread.p99_ms},
          {"mean", spread.mean_ms}};
}

/// What a GPU's own clock says, and how hard it worked.
void report_device(const runtime::LatencyReport& latency, const std::string& name, int device,
                   Json& json) {
  if (!latency.device) return;
  const auto& [upload, compute, download] = *latency.device;
  json["gpu"] = {{"upload_ms", json_of(upload)},
                 {"compute_ms", json_of(compute)},
                 {"download_ms", json_of(download)}};
  fmt::print(
      "{}: on the GPU {:.3f} ms (p50; p90 {:.3f}, p99 {:.3f}), upload {:.3f}, download "
      "{:.3f}\n",
      name, compute.p50_ms, compute.p90_ms, compute.p99_ms, upload.p50_ms, download.p50_ms);
  const auto state = runtime::read_gpu_state(device);
  if (!state) return;
  json["gpu"]["power_w"] = state->power_w;
  json["gpu"]["clock_mhz"] = state->clock_mhz;
  fmt::print("{}: {:.0f} W, {} MHz right after\n", name, state->power_w, state->clock_mhz);
}

/// Latency at batch 1 and throughput over batch sizes, of one model.
Json measure(const BenchArguments& arguments, const std::filesystem::path& path,
             std::vector<std::vector<std::string>>& table) {
  const runtime::MeasureOptions how{.seconds = arguments.seconds};
  auto single = prepare(arguments, path, runtime::Mode::latency, 1);
  const auto latency = runtime::measure_latency(*single.loaded.detector.engine, single.inputs, how);
  Json json{{"model", single.loaded.name},
            {"precision", single.loaded.precision()},
            {"layers_int8", single.loaded.layers.int8},
            {"layers_total", single.loaded.layers.total},
            {"latency_ms",
             {{"p50", latency.p50_ms},
              {"p90", latency.p90_ms},
              {"p99", latency.p99_ms},
              {"mean", latency.mean_ms}}}};
  report_device(latency, single.loaded.name, arguments.engine.devices.front(), json);
  json["kinds"] = runtime::count_kinds(single.loaded.detector.engine->layers());
  Json sweep = Json::array();
  double best = 0;
  for (const int batch : batches_of(arguments)) {
    auto many = prepare(arguments, path, runtime::Mode::throughput, batch);
    runtime::Engine& engine = *many.loaded.detector.engine;
    const auto report = runtime::measure_throughput(engine, many.inputs, how);
    best = std::max(best, report.images_per_second);
    sweep.push_back({{"batch", many.loaded.detector.batch},
                     {"streams", engine.streams()},
                     {"images_per_second", report.images_per_second},
                     {"images_per_cpu_second", report.images_per_cpu_second}});
    table.push_back({single.loaded.name, single.loaded.precision(),
                     fmt::format("{:.2f}", latency.p50_ms), fmt::format("{:.2f}", latency.p90_ms),
                     fmt::format("{:.2f}", latency.p99_ms), fmt::format("{:.2f}", latency.mean_ms),
                     std::to_string(many.loaded.detector.batch), std::to_string(engine.streams()),
                     fmt::format("{:.1f}", report.images_per_second)});
  }
  json["throughput"] = best;
  json["sweep"] = std::move(sweep);
  json["engine"] = single.loaded.detector.engine->description();
  json["notices"] = single.loaded.detector.engine->notices();
  return json;
}

/// Somebody who measures int8 wants to know when it does not pay.
void say_if_half_wins(const Subject& a, const Subject& b, double ratio) {
  const auto is = [](const Subject& subject, std::string_view precision) {
    return subject.loaded.precision() == precision;
  };
  const bool half_wins = (is(a, "fp16") && is(b, "int8") && ratio < 1) ||
                         (is(a, "int8") && is(b, "fp16") && ratio > 1);
  if (half_wins) fmt::print("fp16 is faster than int8 here\n");
}

Json compare(const BenchArguments& arguments, const std::filesystem::path& first,
             const std::filesystem::path& second) {
  auto a = prepare(arguments, first, runtime::Mode::throughput, arguments.engine.batch_size);
  auto b = prepare(arguments, second, runtime::Mode::throughput, arguments.engine.batch_size);
  const auto report =
      runtime::compare({*a.loaded.detector.engine, a.inputs}, {*b.loaded.detector.engine, b.inputs},
                       {.rounds = arguments.rounds});
  fmt::print(
      "{} against {}: {:.2f} times as fast ({:.2f} by processor time; medians of {} "
      "interleaved rounds)\n",
      b.loaded.name, a.loaded.name, report.ratio, report.cpu_ratio, report.rounds.size());
  say_if_half_wins(a, b, report.ratio);
  const auto layers_a = a.loaded.detector.engine->layers();
  const auto layers_b = b.loaded.detector.engine->layers();
  const Json kinds = compare_kinds({a.loaded.name, layers_a}, {b.loaded.name, layers_b});
  Json rounds = Json::array();
  for (const auto& round : report.rounds) {
    rounds.push_back({{"a_ms", round.a_ms}, {"b_ms", round.b_ms}});
  }
  return {{"a", a.loaded.name},    {"b", b.loaded.name},
          {"ratio", report.ratio}, {"cpu_ratio", report.cpu_ratio},
          {"kinds", kinds},        {"rounds", std::move(rounds)}};
}

void run_bench(const BenchArguments& arguments) {
  auto paths = arguments.compare;
  if (paths.empty()) paths = arguments.model.all();
  require_writable(arguments.json.file, paths);
  arguments.engine.require_as_built(paths);
  std::vector<std::vector<std::string>> table{{"model", "precision", "p50 ms", "p90 ms", "p99 ms",
                                               "mean ms", "batch", "streams", "images/s"}};
  Json models = Json::array();
  for (const auto& path : paths) models.push_back(measure(arguments, path, table));
  fmt::print("{}", to_table(table));
  fmt::print("{}; latency: one image at a time on all threads\n",
             models[0]["engine"].get<std::string>());
  for (const Json& model : models) {
    for (const std::string notice : model["notices"]) {
      fmt::print("notice: {}: {}\n", model["model"].get<std::string>(), notice);
    }
  }

  Json json = models[0];
  Json comparisons = Json::array();
  for (std::size_t i = 1; i < paths.size(); ++i) {
    comparisons.push_back(compare(arguments, paths[0], paths[i]));
  }
  if (paths.size() > 1) json["models"] = std::move(models);
  if (!comparisons.empty()) json["comparisons"] = std::move(comparisons);
  json["provenance"] = provenance();
  arguments.json.write(text_of(json));
}

}  // namespace

void declare_bench(CLI::App& app) {
  const auto arguments = std::make_shared<BenchArguments>();
  arguments->model.declare(app);
  arguments->size.declare(app);
  arguments->engine.declare(app);
  arguments->json.declare(app);
  app.add_option("--compare", arguments->compare,
                 "two models or engines in interleaved runs, with their layers by kind")
      ->expected(2);
  app.add_option("--batches", arguments->batches, "batch sizes to measure throughput at")
      ->delimiter(',')
      ->check(CLI::Range(1, 4096));
  app.add_option("--seconds", arguments->seconds, "per measurement")
      ->check(CLI::Range(0.01, 3600.0))
      ->capture_default_str();
  app.add_option("--rounds", arguments->rounds, "turns of each of two compared models")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  app.callback([arguments] { run_bench(*arguments); });
}

}  // namespace yoloq::cli
