// SPDX-License-Identifier: Apache-2.0
#include "cli/provenance.h"

#include <fmt/chrono.h>

#include <chrono>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/version.h"
#include "runtime/engine.h"

namespace yoloq::cli {

namespace {

using Json = nlohmann::ordered_json;

/// A word as a shell takes it.
std::string shell_word(const std::string& word) {
  const bool plain =
      !word.empty() && word.find_first_of(" \t\n\"'\\$`*?[]{}()<>|&;#~!") == std::string::npos;
  if (plain) return word;
  std::string text = "'";
  for (const char c : word) {
    if (c == '\'') text += "'\\'";
    text += c;
  }
  text += '\'';
  return text;
}

/// The command line of this process, the program by its name alone.
std::string command_line() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  std::string line;
  for (std::string word; std::getline(file, word, '\0');) {
    if (line.empty()) {
      line = std::filesystem::path(word).filename().string();
    } else {
      line += fmt::format(" {}", shell_word(word));
    }
  }
  return line;
}

/// "model name" of the first processor; empty where the system does not tell.
std::string cpu_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("model name")) continue;
    const std::size_t colon = line.find(": ");
    return colon == std::string::npos ? "" : line.substr(colon + 2);
  }
  return "";
}

std::string date() {
  const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(now));
}

}  // namespace

Json provenance() {
  return {{"tool", std::string("yoloq ") + kVersion},
          {"command", command_line()},
          {"date", date()},
          {"machine", {{"cpu", cpu_name()}, {"threads", runtime::available_threads()}}}};
}

std::string text_of(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace yoloq::cli
