// SPDX-License-Identifier: Apache-2.0
#include "report/gnuplot.h"

#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>

#include "core/error.h"

namespace yoloq::report {

namespace {

constexpr const char* kProgram = "gnuplot";
constexpr std::size_t kMostErrorLetters = 500;

/// A file in memory that a program reads from or writes to: unlike with pipes, none waits for the
/// other.
class MemoryFile {
 public:
  explicit MemoryFile(const char* name) : descriptor_(::memfd_create(name, MFD_CLOEXEC)) {
    if (descriptor_ < 0) fail(ErrorCode::io, "no file in memory: {}", std::strerror(errno));
  }
  ~MemoryFile() { ::close(descriptor_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  int descriptor() const { return descriptor_; }

  void write(const std::string& text) const {
    for (std::size_t done = 0; done < text.size();) {
      const ssize_t count = ::write(descriptor_, text.data() + done, text.size() - done);
      if (count < 0) fail(ErrorCode::io, "a file in memory: {}", std::strerror(errno));
      done += static_cast<std::size_t>(count);
    }
    ::lseek(descriptor_, 0, SEEK_SET);
  }

  std::string read() const {
    std::string text;
    std::array<char, 1 << 16> buffer{};
    ::lseek(descriptor_, 0, SEEK_SET);
    for (ssize_t count = 0; (count = ::read(descriptor_, buffer.data(), buffer.size())) > 0;) {
      text.append(buffer.data(), static_cast<std::size_t>(count));
    }
    return text;
  }

 private:
  int descriptor_;
};

/// The three standard files of a program to start.
class FileActions {
 public:
  FileActions(const MemoryFile& input, const MemoryFile& output, const MemoryFile& errors) {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawn_file_actions_adddup2(&actions_, input.descriptor(), STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions_, output.descriptor(), STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions_, errors.descriptor(), STDERR_FILENO);
  }
  ~FileActions() { ::posix_spawn_file_actions_destroy(&actions_); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;

  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

/// What gnuplot writes when it gets these commands.
std::string run(const std::string& script) {
  const MemoryFile input("script");
  const MemoryFile output("svg");
  const MemoryFile errors("errors");
  input.write(script);
  const FileActions actions(input, output, errors);
  std::string name = kProgram;
  std::string plain = "-d";  // No settings of the user's: the same plot everywhere.
  std::array<char*, 3> arguments{name.data(), plain.data(), nullptr};
  pid_t process = 0;
  const int problem =
      ::posix_spawnp(&process, kProgram, actions.get(), nullptr, arguments.data(), environ);
  if (problem == ENOENT) {
    fail(ErrorCode::not_found,
         "plots are drawn by the program gnuplot, which is not installed: apt-get install "
         "gnuplot-nox; --json needs none");
  }
  if (problem != 0) fail(ErrorCode::io, "cannot start gnuplot: {}", std::strerror(problem));
  int status = 0;
  while (::waitpid(process, &status, 0) < 0) {
    if (errno != EINTR) fail(ErrorCode::io, "waiting for gnuplot: {}", std::strerror(errno));
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return output.read();
  fail(ErrorCode::backend, "gnuplot failed: {}", errors.read().substr(0, kMostErrorLetters));
}

}  // namespace

std::string to_svg(const Plot& plot) {
  const std::string file = run(to_script(plot));
  const std::size_t begin = file.find("<svg");
  const std::size_t end = file.rfind("</svg>");
  if (begin == std::string::npos || end == std::string::npos) {
    fail(ErrorCode::backend, "gnuplot drew nothing of '{}': its svg terminal is missing",
         plot.title);
  }
  return file.substr(begin, end + std::strlen("</svg>") - begin);
}

}  // namespace yoloq::report
