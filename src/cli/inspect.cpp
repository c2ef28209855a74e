// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>

#include "cli/command.h"
namespace yoloq::cli {
void declare_inspect(CLI::App&) {}
}  // namespace yoloq::cli
