// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

/// @file
/// CUDA's runtime as far as runtime/tensorrt calls it, in the memory of the host: a program that
/// has these functions takes none of the real ones from their static library. If one is missing
/// here, the linker takes that library and finds all others twice: add the missing one.

namespace yoloq::test {

/// What the fake shall do.
struct FakeCuda {
  bool has_driver = true;
  int devices = 1;
  std::size_t free_bytes = std::size_t{1} << 30;  ///< No buffer larger than this can be had.
};
FakeCuda& fake_cuda();

}  // namespace yoloq::test
