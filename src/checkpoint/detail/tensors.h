// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "checkpoint/pickle.h"
#include "core/tensor.h"

namespace yoloq::checkpoint {

/// Where the bytes of storages come from.
struct StorageSource {
  std::function<std::string(std::string_view key)> read;  ///< Throws Error if there is none.
  bool big_endian = false;
};

/// Builds tensors from what torch.save left of them: a storage, an offset, sizes and strides.
class Tensors {
 public:
  explicit Tensors(StorageSource source);

  /// True if `value` is a tensor, a parameter or a numpy array.
  static bool is_tensor(const pickle::View& value);

  /// The tensor in row-major order; float16, bfloat16 and float64 become float32.
  ///
  /// @throws Error(corrupt_file) if it reaches beyond its storage, if its storage is missing or has
  ///         another size than it says, Error(unsupported) for types that no YOLOv5 model has.
  Tensor read(const pickle::View& value);

 private:
  struct Storage;

  Tensor build(const pickle::View& value);
  Tensor rebuild(const pickle::View& arguments, std::string_view dtype_name);
  std::shared_ptr<const Storage> storage(const pickle::View& id, std::string_view dtype_name);
  void charge(std::uint64_t bytes);

  StorageSource source_;
  std::map<std::string, std::shared_ptr<const Storage>, std::less<>> storages_;
  std::map<pickle::ObjectId, Tensor> built_;
  std::uint64_t loaded_bytes_ = 0;
  std::uint64_t built_bytes_ = 0;
};

}  // namespace yoloq::checkpoint
