// SPDX-License-Identifier: Apache-2.0
#include "coco/detail/byte_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/error.h"
#include "core/file.h"

namespace yoloq::coco::detail {

ByteSource::ByteSource(const std::filesystem::path& path) {
  struct stat info {};
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  const bool regular =
      descriptor >= 0 && ::fstat(descriptor, &info) == 0 && S_ISREG(info.st_mode) != 0;
  if (regular) {
    descriptor_ = descriptor;
    size_ = static_cast<std::size_t>(info.st_size);
    return;
  }
  if (descriptor >= 0) ::close(descriptor);
  held_ = read_file(path);
  text_ = held_;
  size_ = held_.size();
}

ByteSource::~ByteSource() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void ByteSource::read(std::size_t offset, std::span<char> out) const {
  if (descriptor_ < 0) {
    std::ranges::copy(text_.substr(offset, out.size()), out.begin());
    return;
  }
  while (!out.empty()) {
    const ssize_t got = ::pread(descriptor_, out.data(), out.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail(ErrorCode::io, "cannot read: {}", std::strerror(errno));
    if (got == 0) fail(ErrorCode::io, "the file became shorter while it was read");
    out = out.subspan(static_cast<std::size_t>(got));
    offset += static_cast<std::size_t>(got);
  }
}

}  // namespace yoloq::coco::detail
