// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace yoloq::dataset::detail {

/// 0 to count - 1 in an order that depends on seed and epoch alone, each order as likely as any.
std::vector<std::size_t> shuffled(std::size_t count, std::uint64_t seed, std::uint64_t epoch);

/// How the images of an epoch are shared.
struct Shares {
  std::size_t images = 0;
  std::size_t batch_size = 1;  ///< Per rank.
  std::size_t rank = 0;
  std::size_t ranks = 1;
  bool drop_last = false;
};

std::size_t batch_count(const Shares& shares);

/// A stretch of the order.
struct Stretch {
  std::size_t first = 0;
  std::size_t count = 0;
  std::size_t global_count = 0;  ///< Of all ranks together.
};

/// What this rank has of a batch. A last batch that is not full is shared as evenly as it goes.
Stretch stretch_of(const Shares& shares, std::size_t batch);

}  // namespace yoloq::dataset::detail
