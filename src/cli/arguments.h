// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "detect/head.h"
#include "runtime/engine.h"
#include "vision/geometry.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

/// @file
/// Options that several commands share, one struct per group: declare them, read them after
/// parsing.

namespace yoloq::cli {

/// --weights, --model, --engine: all three may be given several times where a command compares.
struct ModelArguments {
  std::vector<std::filesystem::path> weights;  ///< Checkpoints.
  std::vector<std::filesystem::path> models;   ///< ONNX files.
  std::vector<std::filesystem::path> engines;  ///< Compiled-model files.
  std::vector<std::string> anchors;            ///< One list per head: "10,13,16,30,33,23".

  void declare(CLI::App& app, bool with_engines = true);

  /// What the user says of models whose files do not: names of the data yaml, --anchors.
  ///
  /// @throws Error(bad_argument) for a list that is not of pairs of positive numbers.
  detect::HeadHints hints(std::vector<std::string> names = {}) const;

  /// All of them, in that order.
  ///
  /// @throws Error(bad_usage) if there is none.
  std::vector<std::filesystem::path> all() const;

  /// The only one.
  ///
  /// @throws Error(bad_usage) if there is none or more than one.
  std::filesystem::path one() const;
};

/// --img: one number or height and width.
struct SizeArguments {
  std::vector<int> img;

  void declare(CLI::App& app);

  /// Absent: whatever the model says, else 640.
  ///
  /// @throws Error(bad_argument) if a side is not a positive multiple of 32.
  std::optional<vision::Size> size() const;
};

/// --data, --annotations, --split, --skip-bad.
struct DataArguments {
  std::filesystem::path data;
  std::filesystem::path annotations;
  std::string split = "val";
  bool skip_bad = false;

  void declare(CLI::App& app, bool required);
};

/// --backend, --dtype, --threads, --streams, --batch-size, --devices, --cuda-graph,
/// --gpu-letterbox, --verbose.
struct EngineArguments {
  std::string backend = "openvino";
  std::string dtype = "f32";
  int threads = 0;
  int streams = 0;
  int batch_size = 1;
  std::vector<int> devices = {0};
  bool cuda_graph = false;
  bool gpu_letterbox = false;
  bool verbose = false;

  void declare(CLI::App& app);

  /// For files that are all compiled models, whose runtime and float type are settled. Beside a
  /// model that is compiled now, --backend and --dtype are that one's.
  ///
  /// @throws Error(bad_argument) if --backend or --dtype is given and is not a file's.
  void require_as_built(std::span<const std::filesystem::path> files) const;

  /// @throws Error(bad_argument) naming the known types.
  runtime::EngineOptions options(runtime::Mode mode) const;

 private:
  const CLI::Option* backend_option_ = nullptr;  ///< Since declare(); says whether it was given.
  const CLI::Option* dtype_option_ = nullptr;
};

/// --json: written when the command has succeeded.
struct JsonArguments {
  std::filesystem::path file;

  void declare(CLI::App& app);

  /// Writes `text` if a file was asked for.
  void write(const std::string& text) const;
};

/// --run: the folder of one piece of work, which `yoloq report` reads.
struct RunArguments {
  std::filesystem::path folder;

  void declare(CLI::App& app);
  bool given() const { return !folder.empty(); }

  /// A file of the folder.
  std::filesystem::path operator/(const std::string& name) const { return folder / name; }
};

/// Creates the folder that a file is to be written to, so that a run of minutes does not fail at
/// its end.
///
/// @throws Error(io) if the file could not be created there.
void require_writable(const std::filesystem::path& file);

/// For Option::transform(): a name that another command has for `own` means `own` here too.
std::function<std::string(std::string)> other_name(std::string other, std::string own);

/// Refuses those of some options that were given, as they would be ignored.
///
/// @param beside  "--plan, which is applied as it is": what they do not go with, and why.
/// @throws Error(bad_usage) naming the first of them.
void refuse_options(const CLI::App& app, std::span<const std::string_view> names,
                    std::string_view beside);

/// The same of all other options.
void refuse_options_but(const CLI::App& app, std::span<const std::string_view> names,
                        std::string_view beside);

/// For what is read and written by one command: what it was told to read is never lost.
///
/// @param inputs  may have empty paths: options that were not given.
/// @throws Error(bad_usage) if an output is, behind symbolic links, one of the inputs.
void require_other_files(std::span<const std::filesystem::path> outputs,
                         std::span<const std::filesystem::path> inputs);

/// As require_writable(), and as require_other_files() for it.
void require_writable(const std::filesystem::path& file,
                      std::span<const std::filesystem::path> inputs);

/// Bytes of a file that was written; 0 of a device or a pipe, which keep none.
std::uintmax_t written_bytes(const std::filesystem::path& file);

}  // namespace yoloq::cli
