// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "train/training.h"

namespace yoloq::train::detail {

/// The processes that train one model together, as one of them sees them: c10d over Gloo,
/// and NCCL for tensors on GPUs.
///
/// Every rank calls sum(), from_first(), gather() and finish() in the same order with the same
/// sizes. Where there are several, SIGPIPE is ignored in the whole process from then on: a rank
/// that is gone is an error to be told.
class Ranks {
 public:
  /// Waits for all ranks.
  ///
  /// @param lost  see Watcher::lost; told in words for the user.
  /// @throws Error(bad_argument) for a place that cannot be; Error(backend) if the ranks do not all
  ///     come within its patience, with how many have.
  Ranks(const RankPlace& place, const std::function<void(std::string_view)>& lost);
  ~Ranks();
  Ranks(const Ranks&) = delete;
  Ranks& operator=(const Ranks&) = delete;

  std::size_t rank() const;
  std::size_t size() const;
  bool first() const { return rank() == 0; }  ///< Who measures and writes.
  bool alone() const { return size() == 1; }

  /// Replaces each tensor by its sum over all ranks, the same bits on all of them. All of one type.
  ///
  /// @throws Error(backend) if a rank is gone, as all of these.
  void sum(std::span<at::Tensor> tensors) const;
  std::vector<double> sum(std::vector<double> values) const;

  /// What rank 0 has.
  std::string from_first(const std::string& bytes) const;

  /// What each rank has, in their order.
  std::vector<std::string> gather(const std::string& bytes) const;

  /// Waits until all ranks are done; without it the others take the end of this object for a loss.
  void finish();

 private:
  struct Group;
  std::unique_ptr<Group> group_;  ///< None if there is one rank.
};

}  // namespace yoloq::train::detail
