// SPDX-License-Identifier: Apache-2.0
#include "calibrate/statistics.h"

#include <algorithm>

#include "core/error.h"

namespace yoloq::calibrate {

namespace {

std::uint64_t values_per_channel(const TensorStatistics& statistics) {
  return statistics.count / std::max<std::uint64_t>(1, statistics.channel_sums.size());
}

}  // namespace

std::vector<double> TensorStatistics::channel_means() const {
  const auto values = static_cast<double>(values_per_channel(*this));
  std::vector<double> means;
  means.reserve(channel_sums.size());
  for (const ExactSum& sum : channel_sums) means.push_back(sum.value() / values);
  return means;
}

TensorStatistics merged(std::span<const TensorStatistics* const> parts) {
  if (parts.empty()) {
    fail(ErrorCode::bad_argument, "no statistics to merge; expected one per input of a Concat");
  }
  TensorStatistics result = *parts.front();
  for (const TensorStatistics* part : parts.subspan(1)) {
    if (values_per_channel(*part) != values_per_channel(*parts.front())) {
      fail(ErrorCode::bad_argument,
           "cannot merge channels of {} and of {} values; expected the inputs of one Concat, which "
           "have as many each",
           values_per_channel(*parts.front()), values_per_channel(*part));
    }
    result.min = std::min(result.min, part->min);
    result.max = std::max(result.max, part->max);
    result.count += part->count;
    result.histogram.merge(part->histogram);
    result.channel_sums.insert(result.channel_sums.end(), part->channel_sums.begin(),
                               part->channel_sums.end());
  }
  return result;
}

TensorStatistics repeated(const TensorStatistics& statistics, std::uint32_t factor) {
  TensorStatistics result = statistics;
  result.histogram.repeat(factor);
  result.count *= factor;
  for (ExactSum& sum : result.channel_sums) sum.repeat(factor);
  return result;
}

void add_images(TensorStatistics& statistics, const TensorStatistics& more) {
  if (statistics.channel_sums.size() != more.channel_sums.size()) {
    fail(ErrorCode::bad_argument, "statistics of {} and of {} channels are not of one tensor",
         statistics.channel_sums.size(), more.channel_sums.size());
  }
  statistics.min = std::min(statistics.min, more.min);
  statistics.max = std::max(statistics.max, more.max);
  statistics.count += more.count;
  statistics.histogram.merge(more.histogram);
  for (std::size_t i = 0; i < more.channel_sums.size(); ++i) {
    statistics.channel_sums[i].add(more.channel_sums[i]);
  }
}

}  // namespace yoloq::calibrate
