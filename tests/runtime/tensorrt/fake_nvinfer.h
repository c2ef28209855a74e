// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

/// @file
/// A TensorRT that fails on demand: a shared library which has the entry points of TensorRT and of
/// its parser and follows the headers it is compiled with. Whatever is parsed, its engine computes
/// y = 2 x, for an input x [N, 3, H, W] of float32.

namespace yoloq::test {

/// What the fake shall do, and what it has done.
struct FakeNvInfer {
  struct ParseError {
    std::string text;
    int node = -1;  ///< As the parser counts nodes; -1: of none.
  };

  int version = 0;  ///< That the library says it is.
  std::vector<ParseError> parse_errors;
  std::string error;      ///< Logged as an error by whatever fails; empty: nothing is.
  std::string complaint;  ///< Logged as an error about a timing cache that is taken.
  bool gives_builder = true;
  bool takes_profile = true;
  bool reads_timing_cache = true;
  bool takes_timing_cache = true;
  bool takes_tactic_sources = true;
  bool builds = true;
  bool deserializes = true;
  bool gives_context = true;
  bool gives_inspector = true;
  bool runs = true;

  int contexts = 0;                   ///< Made so far.
  std::string timing_cache;           ///< Given to the builder; it adds kFakeTime.
  std::uint32_t tactic_sources = 31;  ///< All five of TensorRT up to 10.
  std::vector<std::int64_t> batches;  ///< Of each run.
  std::vector<float> calibrated;      ///< The first value of each calibration batch.
};

/// What a build adds to its timing cache.
inline constexpr const char* kFakeTime = " and a time";

/// The name of the function of the library that returns its FakeNvInfer*.
inline constexpr const char* kFakeNvInfer = "yoloq_fake_nvinfer";

}  // namespace yoloq::test
