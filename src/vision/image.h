// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "vision/geometry.h"

/// @file
/// Images on their way from a file to a model, and boxes on their way back.
///
///     file -> read_image -> Image -> letterbox -> [3, H, W] -> model -> detect -> to_original ->
///     draw
///
/// OpenCV does the decoding and the resizing, inside this folder's .cpp files only.

namespace yoloq::vision {

/// A picture: 8 bits per channel, blue green red, rows from the top, no gaps between them.
struct Image {
  Size size = {};
  std::vector<std::uint8_t> pixels = {};  ///< [height, width, 3].

  friend bool operator==(const Image&, const Image&) = default;
};

/// Decodes a JPEG, PNG or any other format that OpenCV knows, turned upright as its EXIF
/// orientation says: the same pixels as cv2.imread(path), which Ultralytics uses.
///
/// @param name  what to call the bytes in an error: the file they came from.
/// @throws Error(corrupt_file) with `name` if they are no image or a JPEG that ends too early.
Image decode_image(std::string_view bytes, std::string_view name);

/// decode_image() of a file.
///
/// @throws Error(not_found), Error(io) or Error(corrupt_file), each with the path.
Image read_image(const std::filesystem::path& path);

/// Writes in the format that the file name's extension says, complete or not at all.
///
/// @throws Error(bad_argument) for an unknown extension or an empty image, Error(io) if the file
/// cannot be written.
void write_image(const std::filesystem::path& path, const Image& image);

/// The bytes of a JPEG file, to be put into a page.
///
/// @param quality  0 to 100.
/// @throws Error(bad_argument) if the image is empty.
std::string encode_jpeg(const Image& image, int quality);

/// The image with its longer side made `longest_px` long, its proportions kept.
///
/// @throws Error(bad_argument) if the image is empty or the side is not positive.
Image resized(const Image& image, int longest_px);

/// Keeps OpenCV on the calling thread, in this process from now on. For programs whose own threads
/// each prepare an image: OpenCV's would only fight with them for the cores.
void use_one_thread_per_image();

}  // namespace yoloq::vision
