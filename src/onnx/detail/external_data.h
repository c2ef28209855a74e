// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <vector>

#include "onnx/detail/proto.h"

namespace yoloq::onnx::detail {

/// Brings every tensor that is stored outside the file into `model`: initializers, attributes,
/// subgraphs, functions. The locations are relative to `folder` and may not leave it, also not by
/// a symbolic link.
///
/// @return the files that they are stored in, in the order of the model.
/// @throws Error(corrupt_file) naming the tensor if its entry or file does not fit,
///     Error(not_found) if the file is missing, Error(unsupported) if `folder` is empty or all
///     tensors together exceed 2 GiB.
std::vector<std::filesystem::path> load_external_data(::onnx::ModelProto& model,
                                                      const std::filesystem::path& folder);

}  // namespace yoloq::onnx::detail
