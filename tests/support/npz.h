// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "core/tensor.h"

namespace yoloq::test {

/// Reads numpy's .npz, plain or compressed: numbers in C order, little endian. Arrays of other
/// types (text) are left out.
///
/// @throws Error(not_found) or Error(corrupt_file) with the name of the array.
std::map<std::string, Tensor> read_npz(const std::filesystem::path& path);

}  // namespace yoloq::test
