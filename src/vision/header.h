// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string_view>

#include "vision/geometry.h"

namespace yoloq::vision {

/// What the first bytes of an image file say, without decoding a pixel.
struct Header {
  enum class Format { jpeg, png };

  Format format = Format::jpeg;
  Size stored = {};      ///< As the pixels lie in the file.
  int orientation = 1;   ///< EXIF: 1 upright ... 8; 5 to 8 swap width and height.
  bool complete = true;  ///< False: the end of the file is missing.

  /// The size that decode_image() gives.
  Size upright() const;
};

/// Reads the header of a JPEG or PNG; none if the bytes are something else.
///
/// @param bytes  the whole file, or its beginning (then `complete` means nothing).
std::optional<Header> read_header(std::string_view bytes);

/// The size of the image that read_image() would return; decodes it only if it is neither JPEG nor
/// PNG.
///
/// @throws as read_image() does, as far as it can tell from the header.
Size image_size(const std::filesystem::path& path);

}  // namespace yoloq::vision
