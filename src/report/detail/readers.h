// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string_view>

#include "report/run.h"

namespace yoloq::report::detail {

/// A file on its way into a RunFolder.
struct Source {
  std::filesystem::path path;
  const nlohmann::ordered_json& json;
};

/// What the JSON of each command looks like, and how it gets into a RunFolder.
struct JsonKind {
  bool (*is)(const nlohmann::ordered_json& json);
  void (*read)(const Source& source, RunFolder& run);
};

bool is_evaluation(const nlohmann::ordered_json& json);
void read_evaluation(const Source& source, RunFolder& run);

bool is_benchmark(const nlohmann::ordered_json& json);
void read_benchmark(const Source& source, RunFolder& run);

bool is_quantization(const nlohmann::ordered_json& json);
void read_quantization(const Source& source, RunFolder& run);

bool is_search(const nlohmann::ordered_json& json);
void read_search(const Source& source, RunFolder& run);

bool is_profile(const nlohmann::ordered_json& json);
void read_profile(const Source& source, RunFolder& run);

/// A table of epochs by its first bytes.
bool is_training(std::string_view beginning);
void read_training(const std::filesystem::path& path, RunFolder& run);

/// `provenance` and hashes of a file.
Origin origin_of(const Source& source, const char* kind);

}  // namespace yoloq::report::detail
