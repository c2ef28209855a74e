// SPDX-License-Identifier: Apache-2.0
#include "dataset/detail/epoch_order.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "core/random.h"

namespace yoloq::dataset::detail {

namespace {

constexpr std::uint64_t kOrderStream = 0x6F72646572;  // Apart from what samples draw.

}  // namespace

std::vector<std::size_t> shuffled(std::size_t count, std::uint64_t seed, std::uint64_t epoch) {
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  Random random(seed ^ kOrderStream, epoch);
  for (std::size_t i = count; i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
  return order;
}

std::size_t batch_count(const Shares& shares) {
  const std::size_t together = shares.batch_size * shares.ranks;
  return shares.drop_last ? shares.images / together : (shares.images + together - 1) / together;
}

Stretch stretch_of(const Shares& shares, std::size_t batch) {
  const std::size_t together = shares.batch_size * shares.ranks;
  const std::size_t begin = batch * together;
  const std::size_t images = std::min(together, shares.images - begin);
  const std::size_t own_begin = images * shares.rank / shares.ranks;
  const std::size_t own_end = images * (shares.rank + 1) / shares.ranks;
  return {.first = begin + own_begin, .count = own_end - own_begin, .global_count = images};
}

}  // namespace yoloq::dataset::detail
