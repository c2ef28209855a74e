// SPDX-License-Identifier: Apache-2.0
#include "train/detail/state.h"

#include <ATen/ATen.h>

#include "core/error.h"
#include "runtime/torch/tensors.h"

namespace yoloq::train::detail {

at::Tensor stored(const SavedState& state, const std::string& name, const at::Tensor& like) {
  const auto found = state.find(name);
  if (found == state.end() || found->second.shape() != like.sizes().vec()) {
    fail(ErrorCode::corrupt_file, "the state of training lacks '{}', or it has another shape",
         name);
  }
  return runtime::torch::to_torch(found->second);
}

std::int64_t stored_number(const SavedState& state, const std::string& name) {
  const auto found = state.find(name);
  if (found == state.end() || found->second.size() != 1) {
    fail(ErrorCode::corrupt_file, "the state of training lacks the number '{}'", name);
  }
  return found->second.to_integers().front();
}

}  // namespace yoloq::train::detail
