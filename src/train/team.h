// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "train/training.h"

namespace yoloq::train {

namespace detail {
class Ranks;
}

/// Processes that calibrate and train together, as one of them sees them: connected from here to
/// the end of the object. A team of one needs nobody.
class Team {
 public:
  /// Waits for all ranks.
  ///
  /// @param lost  see Watcher::lost.
  /// @throws Error(bad_argument) for a place that cannot be; Error(backend) if the ranks do not all
  ///     come.
  explicit Team(const RankPlace& place, const std::function<void(std::string_view)>& lost = {});
  ~Team();

  /// What each rank has, in their order. All call it, and from_first(), in the same order.
  ///
  /// @throws Error(backend) if a rank is gone.
  std::vector<std::string> gather(const std::string& bytes) const;

  /// What rank 0 has.
  std::string from_first(const std::string& bytes) const;

  detail::Ranks& ranks() const { return *ranks_; }

 private:
  std::unique_ptr<detail::Ranks> ranks_;
};

/// train() of a job whose ranks have met already.
Result train(const Job& job, const Watcher& watcher, const Team& team);

}  // namespace yoloq::train
