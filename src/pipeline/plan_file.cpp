// SPDX-License-Identifier: Apache-2.0
#include "pipeline/plan_file.h"

#include <utility>

#include "core/error.h"
#include "core/file.h"
#include "onnx/model_file.h"

namespace yoloq::pipeline {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kPackedKey = "yoloq.plan";

/// An ONNX file of constants.
graph::Graph holder_of(quantize::Codes codes) {
  graph::Graph holder;
  holder.constants = std::move(codes);
  return holder;
}

}  // namespace

std::vector<FileContent> plan_files(const quantize::Plan& plan, const fs::path& path) {
  std::vector<FileContent> files;
  quantize::Codes codes = quantize::stored_codes(plan);
  if (!codes.empty()) {
    files.push_back({codes_path(path), onnx::serialize(holder_of(std::move(codes)))});
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

std::string pack_plan(const quantize::Plan& plan) {
  graph::Graph holder = holder_of(quantize::stored_codes(plan));
  holder.metadata[std::string(kPackedKey)] = quantize::to_yaml(plan);
  return onnx::serialize(holder);
}

quantize::Plan unpack_plan(std::string_view bytes) {
  const graph::Graph holder = onnx::parse(bytes);
  const auto yaml = holder.metadata.find(kPackedKey);
  if (yaml == holder.metadata.end()) fail(ErrorCode::corrupt_file, "these bytes hold no plan");
  return quantize::parse_plan(yaml->second, holder.constants);
}

fs::path codes_path(const fs::path& path) {
  return fs::path(path).replace_extension(".codes.onnx");
}

}  // namespace yoloq::pipeline
