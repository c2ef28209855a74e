// SPDX-License-Identifier: Apache-2.0
#include "support/data.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "core/error.h"
#include "core/file.h"

namespace yoloq::test {

namespace fs = std::filesystem;

std::optional<fs::path> data_folder() {
  if (const char* given = std::getenv("YOLOQ_DATA")) return fs::path(given);
  const fs::path beside = fs::path(YOLOQ_SOURCE_DIR).parent_path() / "shared" / "data";
  if (fs::exists(beside)) return beside;
  return std::nullopt;
}

TemporaryFolder::TemporaryFolder() {
  std::string pattern = (fs::temp_directory_path() / "yoloq-test-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) fail(ErrorCode::io, "cannot make '{}'", pattern);
  path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

Finished run_command(const std::vector<std::string>& command) {
  const TemporaryFolder folder;
  const std::string output = (folder / "out").string();
  const std::string errors = (folder / "err").string();
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);

  const pid_t child = ::fork();
  if (child < 0) fail(ErrorCode::io, "cannot start '{}'", command.front());
  if (child == 0) {
    const int out = ::open(output.c_str(), O_WRONLY | O_CREAT, 0600);
    const int err = ::open(errors.c_str(), O_WRONLY | O_CREAT, 0600);
    ::dup2(out, STDOUT_FILENO);
    ::dup2(err, STDERR_FILENO);
    ::execvp(arguments[0], arguments.data());
    ::_exit(127);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), read_file(output),
          read_file(errors)};
}

Finished run_python(const std::string& script, const std::vector<std::string>& arguments) {
  std::vector<std::string> command{YOLOQ_PYTHON, (fs::path(YOLOQ_SOURCE_DIR) / script).string()};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return run_command(command);
}

}  // namespace yoloq::test
