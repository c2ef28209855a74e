// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "cli/arguments.h"

namespace CLI {
class App;
}

namespace yoloq::cli {

/// --hyp, --split, --quick: what is to be looked at before hours of training.
struct TrainingCheckArguments {
  std::filesystem::path hyp;
  std::string split = "train";
  bool quick = false;

  void declare(CLI::App& app);
};

/// Prints everything that is wrong or strange about hyper-parameters and about a split of a data
/// set, whichever of the two files is given.
///
/// @param data  the yaml; empty: only hyper-parameters.
/// @throws Error(corrupt_file) after all of it is printed and written, if training would stop.
void check_training(const TrainingCheckArguments& arguments, const std::filesystem::path& data,
                    const JsonArguments& json);

}  // namespace yoloq::cli
