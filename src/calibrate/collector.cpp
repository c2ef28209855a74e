// SPDX-License-Identifier: Apache-2.0
#include "calibrate/collector.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <mutex>
#include <utility>

#include "calibrate/detail/float_environment.h"
#include "calibrate/detail/scan.h"
#include "core/error.h"

namespace yoloq::calibrate {

namespace {

struct Slot {
  std::string name;
  std::mutex mutex;  ///< Guards the statistics.
  TensorStatistics statistics;
};

/// Buffers for as many scans as ever ran at once.
class ScanPool {
 public:
  std::unique_ptr<detail::Scan> take() {
    const std::lock_guard lock(mutex_);
    if (free_.empty()) return std::make_unique<detail::Scan>();
    auto scan = std::move(free_.back());
    free_.pop_back();
    return scan;
  }
  void give_back(std::unique_ptr<detail::Scan> scan) {
    const std::lock_guard lock(mutex_);
    free_.push_back(std::move(scan));
  }

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<detail::Scan>> free_;
};

/// One image's activation and what to call it in a message.
struct Activation {
  std::span<const float> values;
  std::size_t channels;
  std::string_view tensor;
  std::string_view image;
};

void require_channels(std::span<const float> values, std::int64_t channels, const Slot& slot,
                      std::string_view image) {
  const bool whole = channels > 0 && !values.empty() &&
                     values.size() <= detail::Scan::kMostValues &&
                     values.size() % static_cast<std::size_t>(channels) == 0;
  if (whole) return;
  fail(ErrorCode::bad_argument,
       "activation '{}' of image '{}' has {} values in {} channels; expected equally many in each, "
       "at least one and under 2^32 in all",
       slot.name, image, values.size(), channels);
}

[[noreturn]] void fail_not_finite(const Activation& activation) {
  const auto finite = [](float value) { return std::isfinite(value); };
  const auto bad = std::ranges::find_if_not(activation.values, finite);
  const auto place = static_cast<std::size_t>(bad - activation.values.begin());
  const std::size_t plane = activation.values.size() / activation.channels;
  fail(ErrorCode::bad_value,
       "activation '{}' is {} for image '{}', at element {} of channel {}; expected finite values: "
       "check the weights and the image",
       activation.tensor, std::isnan(*bad) ? "NaN" : "infinite", activation.image, place % plane,
       place / plane);
}

detail::Scanned scan_channels(detail::Scan& scan, const Activation& activation, int exponent) {
  const std::size_t plane = activation.values.size() / activation.channels;
  scan.begin(exponent);
  for (std::size_t channel = 0; channel < activation.channels; ++channel) {
    if (!scan.add(activation.values.subspan(channel * plane, plane))) fail_not_finite(activation);
  }
  return scan.finish();
}

void add(TensorStatistics& statistics, const detail::Scanned& scanned,
         std::span<const double> sums) {
  const bool first = statistics.count == 0;
  statistics.min = first ? scanned.min : std::min(statistics.min, scanned.min);
  statistics.max = first ? scanned.max : std::max(statistics.max, scanned.max);
  statistics.histogram.add(scanned.exponent, scanned.first_bin, scanned.counts);
  statistics.channel_sums.resize(sums.size());
  for (std::size_t i = 0; i < sums.size(); ++i) statistics.channel_sums[i].add(sums[i]);
}

}  // namespace

struct Collector::State {
  std::deque<Slot> slots;  ///< Never moved: they hold mutexes.
  ScanPool scans;
};

Collector::Collector(std::vector<std::string> tensors) : state_(std::make_unique<State>()) {
  for (std::string& name : tensors) {
    const auto same = [&](const Slot& slot) { return slot.name == name; };
    if (name.empty() || std::ranges::any_of(state_->slots, same)) {
      fail(ErrorCode::bad_argument,
           "cannot observe tensor '{}': expected names that are not empty, each once", name);
    }
    state_->slots.emplace_back().name = std::move(name);
  }
}

Collector::~Collector() = default;
Collector::Collector(Collector&&) noexcept = default;
Collector& Collector::operator=(Collector&&) noexcept = default;

void Collector::observe(std::size_t index, std::span<const float> values, std::int64_t channels,
                        std::string_view image) {
  if (index >= state_->slots.size()) {
    fail(ErrorCode::bad_argument, "no tensor {} to observe; there are {}", index,
         state_->slots.size());
  }
  Slot& slot = state_->slots[index];
  require_channels(values, channels, slot, image);
  const Activation activation = {.values = values,
                                 .channels = static_cast<std::size_t>(channels),
                                 .tensor = slot.name,
                                 .image = image};

  int exponent = 0;
  {
    const std::lock_guard lock(slot.mutex);
    exponent = slot.statistics.histogram.exponent();
  }
  const detail::DefaultFloatEnvironment environment;
  auto scan = state_->scans.take();
  const detail::Scanned scanned = scan_channels(*scan, activation, exponent);
  {
    const std::lock_guard lock(slot.mutex);
    TensorStatistics& statistics = slot.statistics;
    if (statistics.count != 0 && statistics.channel_sums.size() != activation.channels) {
      fail(ErrorCode::bad_argument, "activation '{}' has {} channels for image '{}', {} before",
           slot.name, channels, image, statistics.channel_sums.size());
    }
    add(statistics, scanned, scan->sums());
    statistics.count += values.size();
  }
  state_->scans.give_back(std::move(scan));
}

Ranges Collector::finish() && {
  Ranges ranges;
  for (Slot& slot : state_->slots) {
    if (slot.statistics.count == 0) {
      fail(ErrorCode::bad_state,
           "tensor '{}' was never observed: no image was given, or the model does not compute it",
           slot.name);
    }
    ranges.tensors.emplace(std::move(slot.name), std::move(slot.statistics));
  }
  return ranges;
}

}  // namespace yoloq::calibrate
