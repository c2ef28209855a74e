// SPDX-License-Identifier: Apache-2.0
#include "runtime/measure.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <ctime>
#include <exception>
#include <mutex>
#include <numeric>
#include <thread>

#include "core/error.h"

namespace yoloq::runtime {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Processor time of all threads of the process so far.
double process_seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

void require_limit(const MeasureOptions& options) {
  if (options.seconds > 0 || options.runs > 0) return;
  fail(ErrorCode::bad_argument, "say for how many seconds or how many runs to measure");
}

/// Hands out runs until time or number is used up. Thread-safe; the first run is always granted.
class Budget {
 public:
  explicit Budget(const MeasureOptions& options) : options_(options) {}

  bool take() {
    const std::int64_t number = taken_.fetch_add(1);
    if (number == 0) return true;
    if (options_.runs > 0 && number >= options_.runs) return false;
    return options_.seconds <= 0 || seconds_since(start_) < options_.seconds;
  }

 private:
  MeasureOptions options_;
  Clock::time_point start_ = Clock::now();
  std::atomic<std::int64_t> taken_{0};
};

/// Threads that run one request each.
class Crew {
 public:
  Crew(const Contender& contender, int warm_up_runs)
      : batch_(contender.inputs.empty() || contender.inputs[0].rank() == 0
                   ? 1
                   : contender.inputs[0].shape()[0]) {
    const int wanted = contender.requests > 0 ? contender.requests : contender.engine.streams();
    for (int i = 0; i < std::max(1, wanted); ++i) {
      requests_.push_back(contender.engine.make_request());
      fill(*requests_.back(), contender.inputs);
    }
    for (int i = 0; i < warm_up_runs; ++i) {
      work(MeasureOptions{
          .warm_up_runs = 0, .seconds = 0, .runs = static_cast<std::int64_t>(requests_.size())});
    }
  }

  struct Work {
    std::int64_t images = 0;
    double seconds = 0;
    double cpu_seconds = 0;
  };

  /// Runs until the budget is used up and all have finished.
  Work work(const MeasureOptions& options) {
    Budget budget(options);
    std::atomic<std::int64_t> runs{0};
    const auto start = Clock::now();
    const double cpu_start = process_seconds();
    in_parallel([&](Request& request) {
      while (budget.take()) {
        request.run();
        ++runs;
      }
    });
    return {runs * batch_, seconds_since(start), process_seconds() - cpu_start};
  }

  int size() const { return static_cast<int>(requests_.size()); }

 private:
  template <typename Act>
  void in_parallel(Act act) {
    std::exception_ptr first_error;
    std::mutex mutex;
    std::vector<std::jthread> threads;
    for (const auto& request : requests_) {
      threads.emplace_back([&, one = request.get()] {
        try {
          act(*one);
        } catch (...) {
          const std::lock_guard lock(mutex);
          if (!first_error) first_error = std::current_exception();
        }
      });
    }
    threads.clear();
    if (first_error) std::rethrow_exception(first_error);
  }

  std::vector<std::unique_ptr<Request>> requests_;
  std::int64_t batch_;
};

/// What the runs' own clocks said.
class DeviceTimes {
 public:
  void add(const std::optional<RunTimes>& times) {
    if (!times) return;
    upload_.push_back(times->upload_ms);
    compute_.push_back(times->compute_ms);
    download_.push_back(times->download_ms);
  }

  std::optional<DeviceReport> report() const {
    if (compute_.empty()) return std::nullopt;
    return DeviceReport{spread_of(upload_), spread_of(compute_), spread_of(download_)};
  }

 private:
  std::vector<double> upload_;
  std::vector<double> compute_;
  std::vector<double> download_;
};

double median(std::vector<double> values) {
  std::ranges::sort(values);
  const std::size_t middle = values.size() / 2;
  if (values.size() % 2 == 1) return values[middle];
  return (values[middle - 1] + values[middle]) / 2;
}

}  // namespace

Spread spread_of(const std::vector<double>& times_ms) {
  const double sum = std::accumulate(times_ms.begin(), times_ms.end(), 0.0);
  return {.p50_ms = percentile(times_ms, 0.50),
          .p90_ms = percentile(times_ms, 0.90),
          .p99_ms = percentile(times_ms, 0.99),
          .mean_ms = sum / static_cast<double>(times_ms.size())};
}

double percentile(std::vector<double> values, double fraction) {
  if (values.empty()) fail(ErrorCode::bad_state, "no value was measured");
  std::ranges::sort(values);
  const double rank = std::ceil(fraction * static_cast<double>(values.size()));
  const auto index = static_cast<std::size_t>(std::max(1.0, rank)) - 1;
  return values[std::min(index, values.size() - 1)];
}

LatencyReport measure_latency(Engine& engine, std::span<const Tensor> inputs,
                              const MeasureOptions& options) {
  require_limit(options);
  const auto request = engine.make_request();
  fill(*request, inputs);
  for (int i = 0; i < options.warm_up_runs; ++i) request->run();

  std::vector<double> times_ms;
  DeviceTimes device;
  const double cpu_start = process_seconds();
  for (Budget budget(options); budget.take();) {
    const auto start = Clock::now();
    request->run();
    times_ms.push_back(1000.0 * seconds_since(start));
    device.add(request->times());
  }
  const double cpu_ms = 1000.0 * (process_seconds() - cpu_start);
  const Spread spread = spread_of(times_ms);
  return {.p50_ms = spread.p50_ms,
          .p90_ms = spread.p90_ms,
          .p99_ms = spread.p99_ms,
          .mean_ms = spread.mean_ms,
          .cpu_ms = cpu_ms / static_cast<double>(times_ms.size()),
          .runs = static_cast<std::int64_t>(times_ms.size()),
          .samples_ms = times_ms,
          .device = device.report()};
}

ThroughputReport measure_throughput(Engine& engine, std::span<const Tensor> inputs,
                                    const MeasureOptions& options, int requests) {
  require_limit(options);
  Crew crew({engine, inputs, requests}, options.warm_up_runs);
  const Crew::Work work = crew.work(options);
  const auto images = static_cast<double>(work.images);
  return {.images_per_second = images / work.seconds,
          .images_per_cpu_second = work.cpu_seconds > 0 ? images / work.cpu_seconds : 0.0,
          .images = work.images,
          .seconds = work.seconds,
          .requests = crew.size()};
}

CompareReport compare(const Contender& a, const Contender& b, const CompareOptions& options) {
  if (options.rounds < 1) fail(ErrorCode::bad_argument, "compare needs at least one round");
  const MeasureOptions turn{.warm_up_runs = 0, .seconds = options.seconds_per_turn, .runs = 0};
  require_limit(turn);
  Crew crew_a(a, options.warm_up_runs);
  Crew crew_b(b, options.warm_up_runs);

  CompareReport report;
  std::vector<double> ratios;
  std::vector<double> cpu_ratios;
  for (int i = 0; i < options.rounds; ++i) {
    const Crew::Work work_a = crew_a.work(turn);
    const Crew::Work work_b = crew_b.work(turn);
    const auto per_image = [](double seconds, const Crew::Work& work) {
      return 1000.0 * seconds / static_cast<double>(work.images);
    };
    const Round round{.a_ms = per_image(work_a.seconds, work_a),
                      .b_ms = per_image(work_b.seconds, work_b),
                      .a_cpu_ms = per_image(work_a.cpu_seconds, work_a),
                      .b_cpu_ms = per_image(work_b.cpu_seconds, work_b)};
    ratios.push_back(round.a_ms / round.b_ms);
    cpu_ratios.push_back(round.a_cpu_ms / round.b_cpu_ms);
    report.rounds.push_back(round);
  }
  report.ratio = median(ratios);
  report.cpu_ratio = median(cpu_ratios);
  return report;
}

}  // namespace yoloq::runtime
