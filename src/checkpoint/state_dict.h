// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "core/tensor.h"

namespace yoloq::checkpoint {

/// One entry of a PyTorch module's state_dict().
struct NamedTensor {
  std::string name;  ///< "model.2.cv1.conv.weight" of an Ultralytics model.
  Tensor tensor;

  friend bool operator==(const NamedTensor&, const NamedTensor&) = default;
};

/// Writes a file that PyTorch reads without running anything from it, as an OrderedDict:
///
///     model.load_state_dict(torch.load("best_state_dict.pt", weights_only=True))
///
/// Tensors are float32, float16 or int64. The archive is laid out as torch.save's, contents at
/// multiples of 64 bytes; equal tensors give equal bytes.
///
/// Source: torch/serialization.py, format 3, and torch/_weights_only_unpickler.py, which lists what
/// may stand in such a file.
///
/// @throws Error(bad_argument) if a name is empty or comes twice, Error(unsupported) for other
/// types of elements, Error(io).
void write_state_dict(const std::filesystem::path& path, std::span<const NamedTensor> tensors);

/// Reads a state_dict: the tensors of a dict, in its order. float16 becomes float32.
///
/// @throws Error(not_found, io) if the file cannot be read, Error(unsupported) if it holds no dict
/// of tensors, Error(corrupt_file) naming the place that is damaged. Nothing in it is ever called.
std::vector<NamedTensor> read_state_dict(const std::filesystem::path& path);

}  // namespace yoloq::checkpoint
