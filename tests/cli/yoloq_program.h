// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "support/data.h"

/// @file
/// The command line as a user meets it: the real program, started in a folder of the test's.

namespace yoloq::test {

/// Runs `yoloq` with the working folder `folder`.
Finished yoloq_in(const std::filesystem::path& folder, const std::vector<std::string>& arguments);

/// The words that start `yoloq` in `folder`, for tests that start it in a way of their own.
std::vector<std::string> yoloq_command(const std::filesystem::path& folder,
                                       const std::vector<std::string>& arguments);

/// Of `layers` whose 8-bit codes use the whole range, how many an engine runs in int8 on this CPU:
/// all, or none where sums of products would saturate (runtime/cpu.h). Files of `quantize
/// --reduce-range` run in int8 everywhere.
int int8_layers_here(int layers);

/// What commands call the precision of a file whose codes use the whole range, on this CPU.
std::string int8_precision_here();

nlohmann::json read_json(const std::filesystem::path& path);

/// The text of a sens.json up to its provenance, which is new in each run.
std::string measured_text(const std::filesystem::path& path);

/// All regular files below a folder, relative to it.
std::set<std::string> files_below(const std::filesystem::path& folder);

/// The tiny model as tiny.pt, and the tiny data set, in a folder of their own. Labels are what the
/// model itself finds, so that AP is near 1 where everything fits together.
class TinyProject {
 public:
  explicit TinyProject(int train = 6, int val = 5);

  const std::filesystem::path& path() const { return folder_.path(); }
  std::filesystem::path operator/(const std::filesystem::path& name) const {
    return folder_ / name;
  }

  Finished run(const std::vector<std::string>& arguments) const {
    return yoloq_in(path(), arguments);
  }

  /// Replaces the labels of both splits by what `detect` finds.
  void label_with_model() const;

 private:
  TemporaryFolder folder_;
};

}  // namespace yoloq::test
