// SPDX-License-Identifier: Apache-2.0
#include "cli/hand_over.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "cli/command.h"
#include "core/error.h"

namespace yoloq::cli {

bool has_torch() { return declare_train != nullptr; }

bool needs_torch(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (i == 1 && (argument == "train" || argument == "qat")) return true;
    if (argument.starts_with("--backend=torch")) return true;
    if (argument.starts_with("torch") && std::string_view(argv[i - 1]) == "--backend") return true;
  }
  return false;
}

void hand_over(char** argv) {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  const auto other = self.parent_path() / "yoloq-torch";
  if (!error) ::execv(other.c_str(), argv);
  fail(ErrorCode::unsupported,
       "this needs '{}', which cannot be started ({}): build with -DYOLOQ_WITH_TORCH=ON",
       other.string(), std::strerror(errno));
}

}  // namespace yoloq::cli
