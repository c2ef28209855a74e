// SPDX-License-Identifier: Apache-2.0
#include "report/run.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <string_view>
#include <system_error>
#include <tuple>

#include "core/error.h"
#include "core/file.h"
#include "core/hash.h"
#include "pipeline/plan_file.h"
#include "report/detail/fields.h"
#include "report/detail/readers.h"

namespace yoloq::report {

namespace fs = std::filesystem;
using detail::Json;

namespace {

constexpr std::array<detail::JsonKind, 5> kJsonKinds{{
    {detail::is_evaluation, detail::read_evaluation},
    {detail::is_benchmark, detail::read_benchmark},
    {detail::is_quantization, detail::read_quantization},
    {detail::is_search, detail::read_search},
    {detail::is_profile, detail::read_profile},
}};

constexpr std::size_t kBeginning = 4096;  ///< Bytes that tell what a file is.
constexpr std::string_view kRangesMagic = "yoloq-ranges\n";

std::string beginning_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text(kBeginning, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

/// The first character that is no white space; 0 if there is none.
char first_of(std::string_view text) {
  const std::size_t at = text.find_first_not_of(" \t\r\n");
  return at == std::string_view::npos ? '\0' : text[at];
}

void read_object(const fs::path& path, RunFolder& run) {
  Json json;
  try {
    json = Json::parse(read_file(path));
  } catch (const Json::parse_error& error) {
    if (path.extension() != ".json") {  // A journal of JSON lines, say.
      run.unknown.push_back(path.filename().string());
      return;
    }
    fail(ErrorCode::corrupt_file, "it is no JSON: {}", error.what());
  }
  for (const detail::JsonKind& kind : kJsonKinds) {
    if (json.is_object() && kind.is(json)) return kind.read({path, json}, run);
  }
  if (!json.is_object() || !json.contains("format") || json["format"] != "yoloq report") {
    run.unknown.push_back(path.filename().string());
  }
}

/// A list: COCO detections, or something else. The former are read by the evaluation that they
/// belong to.
void note_list(const fs::path& path, std::string_view beginning, RunFolder& run) {
  if (beginning.find("\"image_id\"") == std::string_view::npos &&
      first_of(beginning.substr(1)) != ']') {
    run.unknown.push_back(path.filename().string());
    return;
  }
  run.origins.push_back({.file = path.filename().string(), .kind = "detections"});
}

/// protobuf's first field of an ONNX model is its version, a small number.
bool is_onnx(std::string_view bytes) {
  constexpr char kVersionField = 0x08;
  constexpr char kMostVersion = 0x20;
  return bytes.size() > 2 && bytes[0] == kVersionField && bytes[1] > 0 && bytes[1] < kMostVersion;
}

bool is_plan(const fs::path& path, std::string_view text) {
  if (path.extension() != ".yaml" && path.extension() != ".yml") return false;
  return text.find("\nlayers:") != std::string_view::npos || path.stem().extension() == ".plan";
}

void read_ranges(const fs::path& path, RunFolder& run) {
  run.ranges.push_back({path.filename().string(), calibrate::parse_ranges(read_file(path))});
  const calibrate::Provenance& from = run.ranges.back().value.provenance;
  run.origins.push_back({.file = path.filename().string(),
                         .kind = "ranges",
                         .tool = from.tool,
                         .hashes = "model " + from.model + ", key " + from.key});
}

void read_plan(const fs::path& path, RunFolder& run) {
  run.plans.push_back({path.filename().string(), pipeline::read_plan(path)});
  const auto& from = run.plans.back().value.provenance;
  const auto said = [&from](const char* key) {
    const auto found = from.find(key);
    return found == from.end() ? std::string() : found->second;
  };
  run.origins.push_back(
      {.file = path.filename().string(),
       .kind = "plan",
       .tool = said("tool"),
       .hashes = "model " + said("model_hash") + ", key " + said("calibration_key")});
}

void read_one(const fs::path& path, RunFolder& run) {
  const std::string beginning = beginning_of(path);
  const char first = first_of(beginning);
  const std::string name = path.filename().string();
  if (first == '[')
    return note_list(path, std::string_view(beginning).substr(beginning.find('[')), run);
  if (first == '{' || path.extension() == ".json") return read_object(path, run);
  if (beginning.starts_with(kRangesMagic) || path.extension() == ".ranges") {
    return read_ranges(path, run);
  }
  if (detail::is_training(beginning)) return detail::read_training(path, run);
  if (is_plan(path, beginning)) return read_plan(path, run);
  if (is_onnx(beginning)) {
    run.models.push_back({name, fs::file_size(path), hash_of(read_file(path))});
    return;
  }
  if (path.extension() == ".onnx") fail(ErrorCode::corrupt_file, "it is no ONNX file");
  run.unknown.push_back(name);
}

/// What this command writes is not what it reads.
bool is_page(const fs::path& path) {
  const auto extension = path.extension();
  return extension == ".html" || extension == ".md";
}

std::vector<fs::path> files_of(const fs::path& folder) {
  std::error_code problem;
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder, problem)) {
    if (entry.is_regular_file() && !is_page(entry.path())) files.push_back(entry.path());
  }
  if (problem) {
    fail(ErrorCode::not_found, "cannot read the folder '{}': {}", folder.string(),
         problem.message());
  }
  std::ranges::sort(files);
  return files;
}

}  // namespace

const Evaluation* RunFolder::main_evaluation() const {
  const auto worth = [](const Evaluation& evaluation) {
    const auto found = std::ranges::count_if(evaluation.models, [](const EvaluatedModel& model) {
      return model.detections.has_value();
    });
    return std::tuple(found, evaluation.models.size());
  };
  const auto best = std::ranges::max_element(evaluations, {}, worth);
  return best == evaluations.end() ? nullptr : &*best;
}

RunFolder read_run(const fs::path& folder) {
  RunFolder run{.folder = folder};
  for (const fs::path& path : files_of(folder)) {
    try {
      read_one(path, run);
    } catch (const Error& error) {
      const bool named = std::string_view(error.what()).find(path.string()) != std::string::npos;
      throw named ? error : error.within(path.string());
    }
  }
  if (run.origins.empty() && run.plans.empty() && run.models.empty()) {
    fail(ErrorCode::not_found,
         "nothing in '{}' that a report can show: run 'yoloq eval ... --run {}' first",
         folder.string(), folder.string());
  }
  return run;
}

}  // namespace yoloq::report
