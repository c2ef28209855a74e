// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <ostream>
#include <vector>

#include "support/data.h"

namespace yoloq::runtime::tensorrt {
namespace {

namespace fs = std::filesystem;

const fs::path kSources = fs::path(YOLOQ_SOURCE_DIR) / "src/runtime/tensorrt";

/// Folders with NvInfer.h below $TENSORRT_HEADERS: one version each.
std::vector<fs::path> versions() {
  std::vector<fs::path> result;
  const char* root = std::getenv("TENSORRT_HEADERS");
  if (root == nullptr || !fs::is_directory(root)) return result;
  for (const auto& entry : fs::directory_iterator(root)) {
    const fs::path include = entry.path() / "include";
    if (fs::exists(include / "NvInfer.h")) result.push_back(include);
  }
  std::ranges::sort(result);
  return result;
}

fs::path cuda_include() {
  const char* root = std::getenv("CUDA_HOME");
  return fs::path(root == nullptr ? "/usr/local/cuda" : root) / "include";
}

TEST(TensorRtSources, CompileWithEveryVersionOfTheHeaders) {
  const auto includes = versions();
  if (includes.empty()) {
    GTEST_SKIP() << "no headers: set TENSORRT_HEADERS to a folder of <version>/include folders";
  }
  if (!fs::exists(cuda_include() / "cuda_runtime_api.h")) GTEST_SKIP() << "no CUDA toolkit";
  for (const fs::path& include : includes) {
    for (const auto* name : {"builder.cpp", "cuda.cpp", "engine.cpp", "letterbox.cpp",
                             "library.cpp", "log.cpp", "native_ptq.cpp"}) {
      const auto finished = test::run_command(
          {YOLOQ_CXX, "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Wpedantic", "-Wshadow",
           "-Wno-missing-field-initializers", "-Werror", "-DFMT_HEADER_ONLY",
           "-DYOLOQ_TENSORRT_LIBRARY=\"a\"", "-DYOLOQ_TENSORRT_PARSER=\"b\"",
           "-DYOLOQ_TENSORRT_STAND_IN=false", "-I" + (fs::path(YOLOQ_SOURCE_DIR) / "src").string(),
           "-isystem", include.string(), "-isystem", cuda_include().string(),
           (kSources / name).string()});

      EXPECT_EQ(finished.status, 0) << include << ' ' << name << '\n' << finished.errors;
    }
  }
}

}  // namespace
}  // namespace yoloq::runtime::tensorrt
