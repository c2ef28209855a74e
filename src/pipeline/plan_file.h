// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/file.h"
#include "quantize/plan.h"

namespace yoloq::pipeline {

/// Writes a plan as YAML and, if layers have codes of their own, those beside it as an ONNX file of
/// constants: "m.plan.yaml" and "m.plan.codes.onnx".
void write_plan(const quantize::Plan& plan, const std::filesystem::path& path);

/// The files that write_plan() writes: to be written together with the model that the plan made.
std::vector<FileContent> plan_files(const quantize::Plan& plan, const std::filesystem::path& path);

/// Reads what write_plan() wrote.
///
/// @throws Error(not_found, corrupt_file) with the path in front.
quantize::Plan read_plan(const std::filesystem::path& path);

/// A plan with its codes as one string, for another process.
std::string pack_plan(const quantize::Plan& plan);

/// The inverse of pack_plan().
///
/// @throws Error(corrupt_file) if the bytes are not what it makes.
quantize::Plan unpack_plan(std::string_view bytes);

/// Where the codes of the plan at `path` are.
std::filesystem::path codes_path(const std::filesystem::path& path);

}  // namespace yoloq::pipeline
