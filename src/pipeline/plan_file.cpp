// SPDX-License-Identifier: Apache-2.0
#include "pipeline/plan_file.h"

#include "core/error.h"
#include "core/file.h"
#include "onnx/model_file.h"

namespace yoloq::pipeline {

namespace fs = std::filesystem;

std::vector<FileContent> plan_files(const quantize::Plan& plan, const fs::path& path) {
  std::vector<FileContent> files;
  const quantize::Codes codes = quantize::stored_codes(plan);
  if (!codes.empty()) {
    graph::Graph holder;
    holder.constants = codes;
    files.push_back({codes_path(path), onnx::serialize(holder)});
  }
  files.push_back({path, quantize::to_yaml(plan)});
  return files;
}

void write_plan(const quantize::Plan& plan, const fs::path& path) {
  write_files(plan_files(plan, path));
}

quantize::Plan read_plan(const fs::path& path) {
  try {
    const std::string yaml = read_file(path);
    quantize::Codes codes;
    if (fs::exists(codes_path(path))) codes = onnx::read_model(codes_path(path)).constants;
    return quantize::parse_plan(yaml, codes);
  } catch (const Error& error) {
    throw error.within(path.string());
  }
}

fs::path codes_path(const fs::path& path) {
  return fs::path(path).replace_extension(".codes.onnx");
}

}  // namespace yoloq::pipeline
