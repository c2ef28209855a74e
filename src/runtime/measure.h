// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/tensor.h"
#include "runtime/engine.h"

/// @file
/// How fast engines are. Times of one run say little on a shared machine: quote the ratios of
/// compare(), which runs two engines in turn.

namespace yoloq::runtime {

/// One tensor per input of an engine, uniform in 0..1 (float32) or 0..255 (uint8).
///
/// @param shapes  one per input, or none where all sizes are known.
/// @throws Error(bad_argument) if a size is known to nobody.
std::vector<Tensor> random_inputs(const Engine& engine, std::span<const Shape> shapes = {},
                                  std::uint32_t seed = 0);

/// Copies `inputs` into `request`, one per port, with their shapes.
///
/// @throws Error(bad_argument) if their number, a type or a shape does not fit.
void fill(Request& request, std::span<const Tensor> inputs);

/// How long to measure. Whichever of `seconds` and `runs` is reached first ends it.
struct MeasureOptions {
  int warm_up_runs = 3;   ///< Of each request, before the clock starts.
  double seconds = 3.0;   ///< 0: no limit.
  std::int64_t runs = 0;  ///< In all; 0: no limit. At least one run is measured.
};

/// Of a number of times. Percentiles are by nearest rank.
struct Spread {
  double p50_ms = 0;
  double p90_ms = 0;
  double p99_ms = 0;
  double mean_ms = 0;
};

/// @throws Error(bad_state) if there is none.
Spread spread_of(const std::vector<double>& times_ms);

/// By the clock of a device, without what the host does around a run.
struct DeviceReport {
  Spread upload;
  Spread compute;
  Spread download;
};

/// Of single runs, one after another. Percentiles are by nearest rank.
struct LatencyReport {
  double p50_ms = 0;
  double p90_ms = 0;
  double p99_ms = 0;
  double mean_ms = 0;
  double cpu_ms = 0;  ///< Processor time of the whole process, per run.
  std::int64_t runs = 0;
  std::vector<double> samples_ms;      ///< Each run, in order; to pool several turns.
  std::optional<DeviceReport> device;  ///< Where requests have Request::times().
};

/// One request, run again and again on the same inputs. Compile the engine with Mode::latency to
/// learn how soon a single image can be ready.
///
/// @throws Error(bad_argument) without any limit; what Request::run() throws.
LatencyReport measure_latency(Engine& engine, std::span<const Tensor> inputs,
                              const MeasureOptions& options = {});

struct ThroughputReport {
  double images_per_second = 0;
  double images_per_cpu_second = 0;  ///< Per second of processor time of the whole process.
  std::int64_t images = 0;           ///< Runs times batch: the first size of the first input.
  double seconds = 0;
  int requests = 0;  ///< In flight at once, each from a thread of its own.
};

/// As many requests as Engine::streams() (or `requests`, if not 0) at once.
ThroughputReport measure_throughput(Engine& engine, std::span<const Tensor> inputs,
                                    const MeasureOptions& options = {}, int requests = 0);

/// An engine and what it is run on.
struct Contender {
  Engine& engine;
  std::span<const Tensor> inputs;
  int requests = 0;  ///< In flight at once; 0: Engine::streams().
};

struct CompareOptions {
  int rounds = 10;
  double seconds_per_turn = 0.5;
  int warm_up_runs = 3;
};

/// One turn of each; milliseconds per image, wall clock over all requests in flight.
struct Round {
  double a_ms = 0;
  double b_ms = 0;
  double a_cpu_ms = 0;
  double b_cpu_ms = 0;
};

/// How many times faster b is than a: above 1 where b is faster. Medians over the rounds.
struct CompareReport {
  std::vector<Round> rounds;
  double ratio = 0;      ///< Of wall clock times.
  double cpu_ratio = 0;  ///< Of processor times.
};

/// Runs a and b in turn, A B A B ..., so that both meet the same state of the machine.
CompareReport compare(const Contender& a, const Contender& b, const CompareOptions& options = {});

/// The value below which `fraction` (0..1) of `values` lie, by nearest rank.
double percentile(std::vector<double> values, double fraction);

}  // namespace yoloq::runtime
