// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <filesystem>
#include <ostream>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "core/file.h"
#include "support/data.h"

namespace yoloq::runtime::tensorrt {
namespace {

namespace fs = std::filesystem;

const fs::path kRoot = YOLOQ_SOURCE_DIR;

/// What sees TensorRT's headers: the runtime, and the fake that tests it.
std::vector<fs::path> sources() {
  std::vector<fs::path> result{kRoot / "tests/runtime/tensorrt/fake_nvinfer.cpp"};
  for (const auto& entry : fs::directory_iterator(kRoot / "src/runtime/tensorrt")) {
    if (entry.path().extension() == ".cpp") result.push_back(entry.path());
  }
  return result;
}

/// The folders of -DTENSORRT_HEADERS, one version each; one empty path if there are none.
std::vector<fs::path> folders() {
  std::vector<fs::path> result;
  std::istringstream list(YOLOQ_TENSORRT_HEADERS);
  for (std::string folder; std::getline(list, folder, ':');) result.emplace_back(folder);
  if (result.empty()) result.emplace_back();
  return result;
}

/// "V10_7_0", from NvInferVersion.h; "None" for no folder.
std::string version_of(const fs::path& include) {
  if (include.empty()) return "None";
  const std::string text = read_file(include / "NvInferVersion.h");
  std::string version = "V";
  for (const std::string part : {"MAJOR", "MINOR", "PATCH"}) {
    // Up to 10.13 NV_TENSORRT_MAJOR is a number, later it is TRT_MAJOR_ENTERPRISE, which is one.
    const std::regex number("#define (NV_TENSORRT_" + part + "|TRT_" + part +
                            "_ENTERPRISE) ([0-9]+)");
    std::smatch match;
    if (!std::regex_search(text, match, number)) return "Unknown";
    version += (version == "V" ? "" : "_") + match[2].str();
  }
  return version;
}

class TensorRtSources : public testing::TestWithParam<fs::path> {};

TEST_P(TensorRtSources, CompileWithTheHeaders) {
  const fs::path& include = GetParam();
  if (include.empty()) GTEST_SKIP() << "no headers: configure with -DTENSORRT_HEADERS=DIR;...";
  for (const fs::path& source : sources()) {
    const auto finished = test::run_command({YOLOQ_CXX,
                                             "-std=c++20",
                                             "-fsyntax-only",
                                             "-Wall",
                                             "-Wextra",
                                             "-Wpedantic",
                                             "-Wshadow",
                                             "-Wno-missing-field-initializers",
                                             "-Werror",
                                             "-DFMT_HEADER_ONLY",
                                             "-DYOLOQ_TENSORRT_LIBRARY=\"a\"",
                                             "-DYOLOQ_TENSORRT_PARSER=\"b\"",
                                             "-DYOLOQ_TENSORRT_STAND_IN=false",
                                             "-I" + (kRoot / "src").string(),
                                             "-I" + (kRoot / "tests").string(),
                                             "-isystem",
                                             include.string(),
                                             "-isystem",
                                             YOLOQ_CUDA_INCLUDE,
                                             source.string()});

    EXPECT_EQ(finished.status, 0) << source << '\n' << finished.errors;
  }
}

INSTANTIATE_TEST_SUITE_P(Of, TensorRtSources, testing::ValuesIn(folders()),
                         [](const auto& row) { return version_of(row.param); });

}  // namespace
}  // namespace yoloq::runtime::tensorrt
