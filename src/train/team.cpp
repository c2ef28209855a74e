// SPDX-License-Identifier: Apache-2.0
#include "train/team.h"

#include "train/detail/ranks.h"

namespace yoloq::train {

Team::Team(const RankPlace& place, const std::function<void(std::string_view)>& lost)
    : ranks_(std::make_unique<detail::Ranks>(place, lost)) {}
Team::~Team() = default;

std::vector<std::string> Team::gather(const std::string& bytes) const {
  return ranks_->gather(bytes);
}
std::string Team::from_first(const std::string& bytes) const { return ranks_->from_first(bytes); }

}  // namespace yoloq::train
