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

enum class Order { channels_first, channels_last };

/// One image's activation and what to call it in a message.
struct Activation {
  std::span<const float> values;
  std::int64_t channels = 0;
  Order order = Order::channels_first;
  std::string_view image;

  std::size_t plane() const { return values.size() / static_cast<std::size_t>(channels); }
};

void require_channels(const Activation& activation, const Slot& slot) {
  const auto& [values, channels, order, image] = activation;
  const bool whole = channels > 0 && !values.empty() &&
                     values.size() <= detail::Scan::kMostValues &&
                     values.size() % static_cast<std::size_t>(channels) == 0;
  if (whole) return;
  fail(ErrorCode::bad_argument,
       "activation '{}' of image '{}' has {} values in {} channels; expected equally many in each, "
       "at least one and under 2^32 in all",
       slot.name, image, values.size(), channels);
}

[[noreturn]] void fail_not_finite(const Activation& activation, const Slot& slot) {
  const auto finite = [](float value) { return std::isfinite(value); };
  const auto bad = std::ranges::find_if_not(activation.values, finite);
  const auto place = static_cast<std::size_t>(bad - activation.values.begin());
  const bool last = activation.order == Order::channels_last;
  const auto inner = last ? static_cast<std::size_t>(activation.channels) : activation.plane();
  fail(ErrorCode::bad_value,
       "activation '{}' is {} for image '{}', at element {} of channel {}; expected finite values: "
       "check the weights and the image",
       slot.name, std::isnan(*bad) ? "NaN" : "infinite", activation.image,
       last ? place / inner : place % inner, last ? place % inner : place / inner);
}

/// False if a value is not finite.
bool scan_channels(detail::Scan& scan, const Activation& activation) {
  const auto channels = static_cast<std::size_t>(activation.channels);
  if (activation.order == Order::channels_last) {
    return scan.add_channels_last(activation.values, channels);
  }
  const std::size_t plane = activation.plane();
  for (std::size_t channel = 0; channel < channels; ++channel) {
    if (!scan.add(activation.values.subspan(channel * plane, plane))) return false;
  }
  return true;
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

  void observe(std::size_t index, const Activation& activation);
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
  state_->observe(index, {values, channels, Order::channels_first, image});
}

void Collector::observe_channels_last(std::size_t index, std::span<const float> values,
                                      std::int64_t channels, std::string_view image) {
  state_->observe(index, {values, channels, Order::channels_last, image});
}

void Collector::State::observe(std::size_t index, const Activation& activation) {
  if (index >= slots.size()) {
    fail(ErrorCode::bad_argument, "no tensor {} to observe; there are {}", index, slots.size());
  }
  Slot& slot = slots[index];
  require_channels(activation, slot);

  int exponent = 0;
  {
    const std::lock_guard lock(slot.mutex);
    exponent = slot.statistics.histogram.exponent();
  }
  const detail::DefaultFloatEnvironment environment;
  auto scan = scans.take();
  scan->begin(exponent);
  if (!scan_channels(*scan, activation)) fail_not_finite(activation, slot);
  const detail::Scanned scanned = scan->finish();
  {
    const std::lock_guard lock(slot.mutex);
    TensorStatistics& statistics = slot.statistics;
    if (statistics.count != 0 && statistics.channel_sums.size() != scan->sums().size()) {
      fail(ErrorCode::bad_argument, "activation '{}' has {} channels for image '{}', {} before",
           slot.name, activation.channels, activation.image, statistics.channel_sums.size());
    }
    add(statistics, scanned, scan->sums());
    statistics.count += activation.values.size();
  }
  scans.give_back(std::move(scan));
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
