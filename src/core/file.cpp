// SPDX-License-Identifier: Apache-2.0
#include "core/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "core/error.h"

namespace yoloq {

namespace {

/// Owns a POSIX file descriptor.
class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  Descriptor(Descriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
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

/// A file that is written but not yet in its place.
class Pending {
 public:
  Pending(const std::filesystem::path& target, std::string_view content)
      : target_(target), temporary_(target.string() + ".tmp." + std::to_string(::getpid())) {
    const std::filesystem::path folder = target_.has_parent_path() ? target_.parent_path() : ".";
    file_.emplace(::open(folder.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0644));
    if (file_->get() < 0) {  // Not every file system has files without names.
      file_.emplace(::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
      named_ = file_->get() >= 0;
    }
    if (file_->get() < 0) refuse();
    if (!write_all(file_->get(), content) || ::fsync(file_->get()) != 0) refuse();
  }
  Pending(Pending&& other) noexcept
      : target_(std::move(other.target_)),
        temporary_(std::move(other.temporary_)),
        file_(std::move(other.file_)),
        named_(std::exchange(other.named_, false)) {}
  Pending& operator=(Pending&&) = delete;
  ~Pending() {
    if (named_) ::unlink(temporary_.c_str());
  }

  void give_name() {
    if (!named_) {
      const std::string unnamed = "/proc/self/fd/" + std::to_string(file_->get());
      ::unlink(temporary_.c_str());
      if (::linkat(AT_FDCWD, unnamed.c_str(), AT_FDCWD, temporary_.c_str(), AT_SYMLINK_FOLLOW) !=
          0) {
        refuse();
      }
      named_ = true;
    }
    if (!file_->close()) refuse();
  }

  void replace_target() {
    if (::rename(temporary_.c_str(), target_.c_str()) != 0) refuse();
    named_ = false;
  }

 private:
  [[noreturn]] void refuse() {
    const int reason = errno;
    if (std::exchange(named_, false)) ::unlink(temporary_.c_str());
    fail(ErrorCode::io, "cannot write '{}': {}", target_.string(), std::strerror(reason));
  }

  std::filesystem::path target_;
  std::string temporary_;
  std::optional<Descriptor> file_;
  bool named_ = false;
};

/// For what has no place of its own in a file system: no renaming, and fsync() means nothing.
void write_straight(const std::filesystem::path& path, std::string_view content) {
  Descriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (file.get() < 0 || !write_all(file.get(), content) || !file.close()) {
    fail(ErrorCode::io, "cannot write '{}': {}", path.string(), std::strerror(errno));
  }
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

WriteTarget write_target(const std::filesystem::path& path) {
  namespace fs = std::filesystem;
  constexpr int kMostLinks = 40;  // As Linux follows.
  std::error_code ignored;
  // Asked first: what a link below /proc/self/fd reads as is no path where it means a pipe.
  if (fs::is_other(fs::status(path, ignored))) return {.path = path, .straight = true};
  fs::path target = path;
  for (int link = 0; fs::is_symlink(fs::symlink_status(target, ignored)); ++link) {
    if (link == kMostLinks) {
      fail(ErrorCode::io, "cannot write '{}': {}", path.string(), std::strerror(ELOOP));
    }
    target = target.parent_path() / fs::read_symlink(target, ignored);
  }
  return {.path = target};
}

void write_file(const std::filesystem::path& path, std::string_view content) {
  const WriteTarget target = write_target(path);
  if (target.straight) {
    write_straight(target.path, content);
    return;
  }
  Pending file(target.path, content);
  file.give_name();
  file.replace_target();
}

void write_files(std::span<const FileContent> files) {
  std::vector<Pending> pending;
  std::vector<const FileContent*> straight;
  for (const FileContent& file : files) {
    const WriteTarget target = write_target(file.path);
    if (target.straight) {
      straight.push_back(&file);
    } else {
      pending.emplace_back(target.path, file.content);
    }
  }
  for (Pending& file : pending) file.give_name();
  for (const FileContent* file : straight) write_straight(file->path, file->content);
  for (Pending& file : pending) file.replace_target();
}

}  // namespace yoloq
