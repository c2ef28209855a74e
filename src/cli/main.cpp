// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <exception>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/hand_over.h"
#include "core/error.h"
#include "core/version.h"

namespace yoloq::cli {
namespace {

int status_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::bad_usage:
      return kWrongUse;
    case ErrorCode::below_target:
      return kBelowTarget;
    default:
      return kWrongInput;
  }
}

int report(const char* message, int status) {
  fmt::print(stderr, "yoloq: {}\n", message);
  return status;
}

/// What no option takes, the options first and in the order typed: CLI11 has them backwards.
std::string leftover_text(const CLI::App& app) {
  const std::vector<std::string> leftover = app.remaining(true);
  const auto option =
      std::ranges::find_if(leftover, [](const std::string& word) { return word.starts_with('-'); });
  const auto subcommands = app.get_subcommands();
  const std::string help =
      fmt::format("run 'yoloq {}--help' for what there is",
                  subcommands.empty() ? "" : subcommands.front()->get_name() + " ");
  if (option == leftover.end()) {
    return fmt::format("not expected: {}; {}", fmt::join(leftover, " "), help);
  }
  if (leftover.size() == 1) return fmt::format("no option {}; {}", *option, help);
  return fmt::format("no option {} (not expected: {}); {}", *option, fmt::join(leftover, " "),
                     help);
}

int run(int argc, char** argv) {
  CLI::App app{"yoloq: from a YOLOv5 checkpoint to a measured 8-bit model", "yoloq"};
  app.set_version_flag("--version", std::string("yoloq ") + kVersion);
  app.require_subcommand(1);
  for (const Command& command : commands()) {
    CLI::App* sub = app.add_subcommand(command.name, command.summary);
    sub->footer(fmt::format("Example:\n  {}\n", command.example));
    if (command.declare != nullptr) command.declare(*sub);
  }
  try {
    if (needs_torch(argc, argv) && !has_torch()) hand_over(argv);
    app.parse(argc, argv);
    return kDone;
  } catch (const CLI::ExtrasError&) {
    return report(leftover_text(app).c_str(), kWrongUse);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kDone : kWrongUse;
  } catch (const Error& error) {
    return report(error.what(), status_of(error.code()));
  } catch (const std::bad_alloc&) {
    return report("out of memory", kWrongInput);
  } catch (const std::length_error&) {  // Of a container for more than memory could ever hold.
    return report("out of memory", kWrongInput);
  } catch (const std::exception& error) {
    return report(error.what(), kWrongInput);
  }
}

}  // namespace
}  // namespace yoloq::cli

int main(int argc, char** argv) { return yoloq::cli::run(argc, argv); }
