// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/engine.h"

/// @file
/// The compiled-model file: a header of yoloq's own, then the bytes of the runtime that wrote it.
///
///     "YOLOQENG"  format version u32  XXH3-128 of the rest, 32 hex digits
///     backend, backend version, device, float type, model hash    one string each
///     inputs, outputs                                             lists of strings
///     nodes, metadata                                             lists of key, value, key, ...
///     notices                                                     a list of strings
///     blob                                                        one string
///
/// A string is its length in bytes (u64) and the bytes; a list is a count (u64) and its strings.
/// Numbers are little-endian.

namespace yoloq::runtime {

struct EngineFile {
  std::string backend;          ///< Name of a row of backends().
  std::string backend_version;  ///< Only the same version reads the blob.
  std::string device;           ///< CPU or GPU and what decides which kernels it can run.
  std::string float_type;       ///< name_of(FloatType).
  std::string model_hash;       ///< Of the model that was compiled.
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
  Metadata nodes;  ///< What the runtime calls a node, and the node's name in the Graph.
  Metadata metadata;
  std::vector<std::string> notices;  ///< Engine::notices().
  std::string blob;

  friend bool operator==(const EngineFile&, const EngineFile&) = default;
};

std::string serialize(const EngineFile& file);

/// @throws Error(corrupt_file) if it is no such file or is damaged, Error(unsupported) if its
/// format
///     is of another version.
EngineFile parse_engine_file(std::string_view bytes);

/// As parse_engine_file(), with the path in messages.
EngineFile read_engine_file(const std::filesystem::path& path);

}  // namespace yoloq::runtime
