// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace yoloq::test {

/// The folder with real weights and images: $YOLOQ_DATA, else ../shared/data beside the checkout;
/// none if neither is there. A test that needs it begins with
///
///     const auto data = test::data_folder();
///     if (!data) GTEST_SKIP() << test::kNoData;
std::optional<std::filesystem::path> data_folder();

inline constexpr const char* kNoData =
    "no real weights and images: set YOLOQ_DATA to the folder that holds coco/ and weights/";

/// A new empty folder that is removed with the object.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::filesystem::path& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

/// What a finished command left.
struct Finished {
  int status = -1;     ///< Exit status, or 128 + the signal that ended it.
  std::string output;  ///< Standard output.
  std::string errors;  ///< Standard error.
};

/// Runs a program with arguments (no shell) and waits for it.
Finished run_command(const std::vector<std::string>& command);

/// Runs a script of this repository (path relative to its root) with the Python that holds the
/// oracles (numpy, onnx, onnxruntime, pycocotools); see tools/setup.sh.
Finished run_python(const std::string& script, const std::vector<std::string>& arguments);

}  // namespace yoloq::test
