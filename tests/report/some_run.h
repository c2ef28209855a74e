// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "support/data.h"

namespace yoloq::report {

/// A name that is markup in every format: what a user's file may be called.
inline constexpr const char* kHostileName = "<script>alert(1)|`x`.onnx";

/// A run folder with a file of each kind that a report reads, all small.
///
/// Of two models, the float one finds a cat with a score of .9 in image 1; the other, called
/// kHostileName, finds it with .6 and a dog that is not there with .5.
class SomeRun {
 public:
  SomeRun();

  std::filesystem::path operator/(const std::string& name) const { return folder_ / name; }
  const std::filesystem::path& path() const { return folder_.path(); }

  void remove(const std::string& name) const;

  /// Writes `text` into a file of the folder.
  void write(const std::string& name, const std::string& text) const;

 private:
  test::TemporaryFolder folder_;
};

/// Files of some_run.
inline constexpr const char* kRunFiles[] = {
    "eval.json",   "a.detections.json", "b.detections.json", "bench.json",  "q.quantize.json",
    "search.json", "sens.json",         "q.ranges",          "q.plan.yaml", "results.csv"};

}  // namespace yoloq::report
