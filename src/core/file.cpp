// SPDX-License-Identifier: Apache-2.0
#include "core/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "core/error.h"

namespace yoloq {

namespace {

/// Owns a POSIX file descriptor.
class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  int get() const { return value_; }
  bool close() { return ::close(std::exchange(value_, -1)) == 0; }

 private:
  int value_;
};

bool write_all(int descriptor, std::string_view content) {
  while (!content.empty()) {
    const ssize_t written = ::write(descriptor, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace

std::string read_file(const std::filesystem::path& path) {
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) {
    const auto code = errno == ENOENT ? ErrorCode::not_found : ErrorCode::io;
    fail(code, "cannot open '{}': {}", path.string(), std::strerror(errno));
  }
  struct stat info {};
  if (::fstat(file.get(), &info) == 0 && S_ISDIR(info.st_mode)) {
    fail(ErrorCode::io, "cannot read '{}': it is a folder", path.string());
  }
  std::string content;
  content.resize(static_cast<std::size_t>(info.st_size > 0 ? info.st_size : 0) + 1);
  std::size_t used = 0;
  for (;;) {
    if (used == content.size()) content.resize(2 * used);
    const ssize_t got = ::read(file.get(), content.data() + used, content.size() - used);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail(ErrorCode::io, "cannot read '{}': {}", path.string(), std::strerror(errno));
    if (got == 0) break;
    used += static_cast<std::size_t>(got);
  }
  content.resize(used);
  return content;
}

void write_file(const std::filesystem::path& path, std::string_view content) {
  const std::string temporary = path.string() + ".tmp." + std::to_string(::getpid());
  const auto refuse = [&](int reason) {
    ::unlink(temporary.c_str());
    fail(ErrorCode::io, "cannot write '{}': {}", path.string(), std::strerror(reason));
  };
  Descriptor file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (file.get() < 0) refuse(errno);
  if (!write_all(file.get(), content) || ::fsync(file.get()) != 0) refuse(errno);
  if (!file.close()) refuse(errno);
  if (::rename(temporary.c_str(), path.c_str()) != 0) refuse(errno);
}

}  // namespace yoloq
