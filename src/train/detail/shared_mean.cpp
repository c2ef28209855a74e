// SPDX-License-Identifier: Apache-2.0
#include "train/detail/shared_mean.h"

#include <ATen/ATen.h>

namespace yoloq::train::detail {

std::vector<double> shares_of(const std::vector<double>& own, const std::vector<double>& all) {
  std::vector<double> shares;
  for (std::size_t i = 0; i < own.size(); ++i) shares.push_back(all[i] > 0 ? own[i] / all[i] : 0);
  return shares;
}

at::Tensor shared_mean(const at::Tensor& values, double share) {
  if (values.numel() == 0) return values.sum();
  return share == 1.0 ? values.mean() : values.mean() * share;
}

}  // namespace yoloq::train::detail
