// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "vision/image.h"

namespace yoloq::vision::detail {

/// Decodes the usual kind of JPEG, YCbCr at 8 bits without EXIF, straight into the order of colours
/// that an Image has. OpenCV decodes with the same library to red green blue and swaps each pixel
/// afterwards, which takes it nearly as long as the decoding.
///
/// @param image  its size and pixels are those that the header announces.
/// @returns false if it is another kind, or damaged in any way: `image` is then of no use, and
///     OpenCV should say what it makes of the bytes.
[[nodiscard]] bool decode_plain_jpeg(std::string_view bytes, Image& image);

}  // namespace yoloq::vision::detail
