// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace yoloq::coco::detail {

/// From the ids of a file to their index in ascending order. A hash table with open addressing:
/// hundreds of thousands of detections look up an image and a category each.
class IdIndex {
 public:
  static constexpr std::uint32_t kNone = 0xffffffff;

  /// @param ids  in any order; one that comes twice is held once.
  explicit IdIndex(std::vector<std::int64_t> ids) : ids_(std::move(ids)) {
    std::ranges::sort(ids_);
    ids_.erase(std::unique(ids_.begin(), ids_.end()), ids_.end());
    const std::size_t slots = std::bit_ceil(2 * ids_.size() + 1);
    shift_ = 64 - std::countr_zero(slots);
    slots_.assign(slots, kNone);
    for (std::uint32_t i = 0; i < ids_.size(); ++i) slots_[slot_of(ids_[i])] = i;
  }

  /// The index of `id` in `ids`, or kNone.
  std::uint32_t find(std::int64_t id) const { return slots_[slot_of(id)]; }

  const std::vector<std::int64_t>& ids() const { return ids_; }
  std::size_t size() const { return ids_.size(); }

 private:
  /// The slot that holds `id`, or the free one where it would go. At least half are free.
  std::size_t slot_of(std::int64_t id) const {
    constexpr std::uint64_t kGolden = 0x9e3779b97f4a7c15;  // 2^64 / golden ratio: spreads runs
    std::size_t slot =
        shift_ == 64 ? 0
                     : static_cast<std::size_t>(static_cast<std::uint64_t>(id) * kGolden >> shift_);
    while (slots_[slot] != kNone && ids_[slots_[slot]] != id)
      slot = (slot + 1) & (slots_.size() - 1);
    return slot;
  }

  std::vector<std::int64_t> ids_;
  std::vector<std::uint32_t> slots_;
  int shift_ = 64;
};

}  // namespace yoloq::coco::detail
