// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

namespace CLI {
class App;
}

/// @file
/// The command line connects the boxes of pipeline/ and prints; it computes nothing itself.
///
/// To add a command: write src/cli/<name>.cpp with a function that declares its options and sets a
/// callback, then add a row in commands.cpp.

namespace yoloq::cli {

/// What the process tells its caller.
enum ExitStatus : int {
  kDone = 0,
  kWrongInput = 1,   ///< A file, folder, model or device cannot be used.
  kWrongUse = 2,     ///< Unknown flag, missing or malformed argument.
  kBelowTarget = 3,  ///< It worked; a measured result is below what was asked for.
};

struct Command {
  const char* name;
  const char* summary;
  const char* example;
  /// Adds options and a callback to the subcommand; null if another program does, see hand_over.h.
  void (*declare)(CLI::App& app);
};

/// All commands, in the order --help lists them.
std::span<const Command> commands();

void declare_export(CLI::App& app);
void declare_quantize(CLI::App& app);
void declare_build(CLI::App& app);
void declare_eval(CLI::App& app);
void declare_detect(CLI::App& app);
void declare_inspect(CLI::App& app);
void declare_bench(CLI::App& app);
void declare_sensitivity(CLI::App& app);
void declare_search(CLI::App& app);
void declare_dataset(CLI::App& app);
void declare_report(CLI::App& app);

// In yoloq-torch only.
[[gnu::weak]] void declare_train(CLI::App& app);
[[gnu::weak]] void declare_qat(CLI::App& app);

}  // namespace yoloq::cli
