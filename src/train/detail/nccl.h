// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <memory>
#include <string>

namespace yoloq::train::detail {

/// Sums of tensors over the GPUs of several ranks, by NVIDIA's NCCL. Its C interface is looked up
/// in the library that LibTorch's CUDA half brings, as that is opened while the program runs;
/// c10d::ProcessGroupNCCL could only be linked.
class Nccl {
 public:
  /// Names a group that is about to meet: one rank makes it and tells the others.
  ///
  /// @throws Error(unsupported) if there is no NCCL, Error(backend) with its words.
  static std::string make_id();

  /// Waits for all ranks.
  ///
  /// @param device  a GPU that no other rank of this group uses.
  Nccl(const std::string& id, int rank, int ranks, c10::Device device);
  ~Nccl();

  /// Replaces `values` (contiguous, on the device; float32, float64 or int64) by the sum over all
  /// ranks, which call it in the same order with as many. Does not wait: LibTorch's next work on
  /// the device does.
  void sum(const at::Tensor& values) const;

 private:
  struct Group;
  std::unique_ptr<Group> group_;
};

}  // namespace yoloq::train::detail
