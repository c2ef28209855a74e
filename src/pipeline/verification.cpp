// SPDX-License-Identifier: Apache-2.0
#include "pipeline/verification.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <sstream>
#include <string>
#include <system_error>

#include "core/error.h"
#include "core/file.h"
#include "core/hash.h"
#include "core/version.h"
#include "onnx/model_file.h"
#include "runtime/engine.h"

namespace yoloq::pipeline {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kFormat = "yoloq verification 1";
constexpr std::string_view kNotice = "notice ";

/// This program's bytes: a build of the same version may compile engines in another way. Empty
/// where the system does not tell.
std::string program_hash() {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (error || !fs::exists(program, error)) return {};
  return hash_of(read_file(program));
}

/// Everything that the result depends on.
std::string key_of(const DetectionModel& model, const graph::Graph& quantized,
                   std::span<const fs::path> images) {
  Hasher hasher;
  hasher.add(kFormat).add(kVersion).add(program_hash());
  hasher.add(runtime::identity()).add(std::to_string(runtime::available_threads()));
  hasher.add(onnx::serialize(model.fixed)).add(onnx::serialize(quantized));
  for (const fs::path& image : images.first(std::min(kVerifyImages, images.size()))) {
    hasher.add(read_file(image));
  }
  return hasher.hex();
}

/// One line for each output, three figures and its name; then one for each notice.
std::string to_text(const Verification& verification, const std::string& key) {
  std::string text = fmt::format("{} {}\n", kFormat, key);
  for (const auto& check : verification.checks) {
    text += fmt::format("{:.17g} {:.17g} {:.17g} {}\n", check.expected_db, check.engine_db,
                        check.literal_db, check.name);
  }
  for (const auto& notice : verification.notices) text += fmt::format("{}{}\n", kNotice, notice);
  return text + "end\n";
}

/// The number at the beginning of `text`, "inf" too, which is cut off with the blank behind it.
double take_number(std::string& text) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  const auto length = static_cast<std::size_t>(end - text.c_str());
  if (length == 0 || text[length] != ' ') {
    fail(ErrorCode::corrupt_file, "'{}' does not begin with a number", text);
  }
  text.erase(0, length + 1);
  return value;
}

/// @throws Error(corrupt_file) if `text` is not what to_text() wrote.
Verification from_text(const std::string& text, const std::string& key) {
  std::istringstream lines(text);
  std::string line;
  std::getline(lines, line);
  if (line != fmt::format("{} {}", kFormat, key)) {
    fail(ErrorCode::corrupt_file, "a verification begins with '{} {}'", kFormat, key);
  }
  Verification verification{.cached = true};
  while (std::getline(lines, line) && line != "end") {
    if (line.starts_with(kNotice)) {
      verification.notices.push_back(line.substr(kNotice.size()));
      continue;
    }
    runtime::OutputCheck check;
    check.expected_db = take_number(line);
    check.engine_db = take_number(line);
    check.literal_db = take_number(line);
    check.name = line;
    verification.checks.push_back(check);
  }
  if (line != "end" || verification.checks.empty()) {
    fail(ErrorCode::corrupt_file, "a verification lacks its end");
  }
  return verification;
}

std::optional<Verification> known_verification(const fs::path& file, const std::string& key) {
  std::error_code ignored;
  if (!fs::exists(file, ignored)) return std::nullopt;
  try {
    Verification verification = from_text(read_file(file), key);
    runtime::require_faithful(verification.checks);
    return verification;
  } catch (const Error&) {  // Whatever it is, it is no proof: verified anew.
    return std::nullopt;
  }
}

}  // namespace

Verification verify_once(const DetectionModel& model, const graph::Graph& quantized,
                         std::span<const fs::path> images, const fs::path& cache) {
  if (cache.empty()) return verify_quantized(model, quantized, images);
  const std::string key = key_of(model, quantized, images);
  const fs::path file = cache / (key + ".verified");
  if (auto known = known_verification(file, key)) return *std::move(known);
  Verification verification = verify_quantized(model, quantized, images);
  std::error_code ignored;  // write_file() says what is wrong.
  fs::create_directories(cache, ignored);
  write_file(file, to_text(verification, key));
  return verification;
}

}  // namespace yoloq::pipeline
