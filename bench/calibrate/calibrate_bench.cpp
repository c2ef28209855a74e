// SPDX-License-Identifier: Apache-2.0

/// @file
/// What does calibration add to a forward pass, and how long does a calibrator take afterwards?
///
/// Prints JSON: ns_per_value of the pass over the values (of each instruction set, and of the whole
/// Collector on one thread and on two), and the time of every calibrator on one tensor.

#include <benchmark/benchmark.h>

#include <iostream>
#include <string>

#include "activations.h"
#include "calibrate/calibrator.h"
#include "calibrate/collector.h"
#include "calibrate/detail/scan.h"

namespace yoloq::bench {
namespace {

using calibrate::Collector;
using calibrate::RangeOptions;
using calibrate::Scheme;
using calibrate::detail::Kernels;
using calibrate::detail::Scan;

void report_per_value(benchmark::State& state, std::size_t values) {
  state.counters["ns_per_value"] = benchmark::Counter(
      static_cast<double>(values) * 1e-9,
      benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

/// Reading alone: what no collector can go below.
void read_values(benchmark::State& state) {
  const auto values = silu_activations(static_cast<std::size_t>(state.range(0)));
  calibrate::detail::Lanes lanes;
  for (auto _ : state) {
    calibrate::detail::supported_kernels().front().scan(values, lanes);
    benchmark::DoNotOptimize(lanes);
  }
  report_per_value(state, values.size());
}
BENCHMARK(read_values)->Arg(1 << 20);

void scan(benchmark::State& state, const Kernels& kernels) {
  const auto values = silu_activations(1 << 20);
  Scan pass(kernels);
  for (auto _ : state) {
    pass.begin(-10);
    benchmark::DoNotOptimize(pass.add(values));
    benchmark::DoNotOptimize(pass.finish());
  }
  report_per_value(state, values.size());
}

/// [64, side, side]: the large planes of the first layers, the small ones of the last.
void collect(benchmark::State& state) {
  static Collector collector({"activation"});
  constexpr std::int64_t kChannels = 64;
  const auto side = static_cast<std::size_t>(state.range(0));
  const auto values = silu_activations(static_cast<std::size_t>(kChannels) * side * side);
  for (auto _ : state) collector.observe(0, values, kChannels, "image");
  report_per_value(state, values.size());
}
BENCHMARK(collect)->Arg(160)->Arg(80)->Arg(40)->Arg(20)->Threads(1)->Threads(2)->UseRealTime();

/// The same values as OpenVINO holds them, [side, side, 64].
void collect_channels_last(benchmark::State& state) {
  static Collector collector({"activation"});
  constexpr std::int64_t kChannels = 64;
  const auto side = static_cast<std::size_t>(state.range(0));
  const auto values = silu_activations(static_cast<std::size_t>(kChannels) * side * side);
  for (auto _ : state) collector.observe_channels_last(0, values, kChannels, "image");
  report_per_value(state, values.size());
}
BENCHMARK(collect_channels_last)->Arg(160)->Arg(20)->UseRealTime();

void compute(benchmark::State& state, const std::string& calibrator, const RangeOptions& options) {
  Collector collector({"activation"});
  collector.observe(0, silu_activations(1 << 20), 1, "image");
  const auto ranges = std::move(collector).finish();
  const auto& statistics = ranges.at("activation");
  for (auto _ : state) {
    benchmark::DoNotOptimize(calibrate::compute_range(statistics, calibrator, options));
  }
}

void cache(benchmark::State& state) {
  calibrate::Ranges ranges;
  Collector collector({"activation"});
  collector.observe(0, silu_activations(1 << 20), 64, "image");
  const auto one = std::move(collector).finish();
  for (int i = 0; i < 60; ++i) ranges.tensors[std::to_string(i)] = one.at("activation");
  const std::string bytes = calibrate::serialize(ranges);
  for (auto _ : state) benchmark::DoNotOptimize(calibrate::parse_ranges(bytes));
  state.counters["bytes"] = static_cast<double>(bytes.size());
}
BENCHMARK(cache)->Name("parse_60_tensors")->Unit(benchmark::kMillisecond);

void add_rows() {
  for (const Kernels& kernels : calibrate::detail::supported_kernels()) {
    benchmark::RegisterBenchmark(("scan/" + std::string(kernels.name)).c_str(), scan, kernels);
  }
  for (const auto& info : calibrate::calibrators()) {
    for (const Scheme scheme : {Scheme::symmetric, Scheme::asymmetric}) {
      const std::string name(info.name);
      const std::string suffix = scheme == Scheme::symmetric ? "/symmetric" : "/asymmetric";
      benchmark::RegisterBenchmark(("compute/" + name + suffix).c_str(), compute, name,
                                   RangeOptions{.scheme = scheme})
          ->Unit(benchmark::kMillisecond);
    }
  }
}

}  // namespace
}  // namespace yoloq::bench

int main(int argument_count, char** arguments) {
  benchmark::Initialize(&argument_count, arguments);
  yoloq::bench::add_rows();
  benchmark::JSONReporter reporter;
  benchmark::RunSpecifiedBenchmarks(&reporter);
}
