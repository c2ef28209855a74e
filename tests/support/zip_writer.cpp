// SPDX-License-Identifier: Apache-2.0
#include "support/zip_writer.h"

#include <zip.h>

#include <filesystem>

#include "core/error.h"
#include "core/file.h"
#include "support/data.h"

namespace yoloq::test {

std::string zip_archive(const std::vector<std::pair<std::string, std::string>>& entries,
                        ZipMethod method) {
  const TemporaryFolder folder;
  const std::string path = (folder / "archive.zip").string();
  zip_t* zip = zip_open(path.c_str(), ZIP_CREATE | ZIP_EXCL, nullptr);
  if (zip == nullptr) fail(ErrorCode::io, "cannot make '{}'", path);
  for (const auto& [name, content] : entries) {
    zip_source_t* source = zip_source_buffer(zip, content.data(), content.size(), 0);
    const auto index = zip_file_add(zip, name.c_str(), source, ZIP_FL_ENC_UTF_8);
    const auto how = method == ZipMethod::stored ? ZIP_CM_STORE : ZIP_CM_DEFLATE;
    if (index < 0 || zip_set_file_compression(zip, static_cast<zip_uint64_t>(index), how, 0) != 0) {
      const std::string why = zip_strerror(zip);
      zip_discard(zip);
      fail(ErrorCode::io, "cannot add '{}' to an archive: {}", name, why);
    }
  }
  if (zip_close(zip) != 0) {
    const std::string why = zip_strerror(zip);
    zip_discard(zip);
    fail(ErrorCode::io, "cannot write an archive: {}", why);
  }
  return read_file(path);
}

}  // namespace yoloq::test
