// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "core/dtype.h"
#include "model/description.h"
#include "support/zip_writer.h"

namespace yoloq::test {

struct CheckpointOptions {
  DType dtype = DType::f16;         ///< Of weights and buffers: f16, as train.py saves, or f32.
  std::string key = "model";        ///< "model" or "ema"; empty: the model is the whole checkpoint.
  bool names_as_list = false;       ///< As up to v6.1; a dict later.
  bool anchor_grid_buffer = false;  ///< As up to v5.0.
  ZipMethod method = ZipMethod::stored;
};

/// The entries of the zip archive, data.pkl first: for tests that damage one of them.
std::vector<std::pair<std::string, std::string>> checkpoint_entries(
    const model::Description& description, const CheckpointOptions& options = {});

/// The bytes of a .pt that holds `description` the way Ultralytics' train.py writes it: class
/// names, attributes, parameters and buffers as PyTorch pickles them.
std::string checkpoint_bytes(const model::Description& description,
                             const CheckpointOptions& options = {});

/// Writes checkpoint_bytes to `path`.
void write_checkpoint(const model::Description& description, const std::filesystem::path& path,
                      const CheckpointOptions& options = {});

}  // namespace yoloq::test
