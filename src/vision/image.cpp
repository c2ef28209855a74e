// SPDX-License-Identifier: Apache-2.0
#include "vision/image.h"

#include <algorithm>
#include <cmath>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <optional>

#include "core/error.h"
#include "core/file.h"
#include "vision/detail/jpeg.h"
#include "vision/detail/mat.h"
#include "vision/header.h"

namespace yoloq::vision {

namespace {

constexpr std::int64_t kMostPixels = std::int64_t{1} << 26;  // Beyond, a header may well be lying.

/// The buffer that the decoder will fill, if the header tells its size.
Image buffer_for(const std::optional<Header>& header, std::string_view name) {
  if (!header) return {};
  if (!header->complete) {
    fail(ErrorCode::corrupt_file, "image '{}' is incomplete: its end is missing", name);
  }
  const Size size = header->stored;
  if (std::int64_t{size.width} * size.height > kMostPixels) return {};
  Image image{.size = size};
  image.pixels.resize(static_cast<std::size_t>(size.width) * size.height * 3);
  return image;
}

}  // namespace

Image decode_image(std::string_view bytes, std::string_view name) {
  if (bytes.empty()) fail(ErrorCode::corrupt_file, "image '{}' is an empty file", name);
  const std::optional<Header> header = read_header(bytes);
  Image image = buffer_for(header, name);
  const bool jpeg = header && header->format == Header::Format::jpeg;
  if (jpeg && !image.pixels.empty() && detail::decode_plain_jpeg(bytes, image)) return image;
  // OpenCV decodes into `target` where it already has the right size, and turns it upright.
  cv::Mat target = image.pixels.empty() ? cv::Mat() : detail::view(image);
  try {
    const cv::Mat source(1, static_cast<int>(bytes.size()), CV_8UC1,
                         const_cast<char*>(bytes.data()));  // Only read from.
    if (cv::imdecode(source, cv::IMREAD_COLOR, &target).empty()) target.release();
  } catch (const cv::Exception& error) {
    fail(ErrorCode::corrupt_file, "image '{}' cannot be decoded: {}", name, error.err);
  }
  if (target.empty()) {
    fail(ErrorCode::corrupt_file,
         "image '{}' cannot be decoded: not a JPEG, PNG or other image, or damaged", name);
  }
  if (target.data == image.pixels.data()) return image;
  return detail::copy_of(target);
}

Image read_image(const std::filesystem::path& path) {
  return decode_image(read_file(path), path.string());
}

void write_image(const std::filesystem::path& path, const Image& image) {
  if (image.pixels.empty()) {
    fail(ErrorCode::bad_argument, "nothing to write to '{}': the image is empty", path.string());
  }
  std::vector<std::uint8_t> encoded;
  try {
    cv::imencode(path.extension().string(), detail::view(image), encoded);
  } catch (const cv::Exception&) {
    fail(ErrorCode::bad_argument,
         "cannot write '{}': '{}' is no known image format; try .jpg or .png", path.string(),
         path.extension().string());
  }
  write_file(path, {reinterpret_cast<const char*>(encoded.data()), encoded.size()});
}

std::string encode_jpeg(const Image& image, int quality) {
  if (image.pixels.empty()) fail(ErrorCode::bad_argument, "an empty image cannot be encoded");
  std::vector<std::uint8_t> encoded;
  cv::imencode(".jpg", detail::view(image), encoded, {cv::IMWRITE_JPEG_QUALITY, quality});
  return {encoded.begin(), encoded.end()};
}

Image resized(const Image& image, int longest_px) {
  if (image.pixels.empty()) fail(ErrorCode::bad_argument, "an empty image cannot be resized");
  if (longest_px <= 0) fail(ErrorCode::bad_argument, "a side of {} pixels", longest_px);
  const int longest = std::max(image.size.width, image.size.height);
  if (longest == longest_px) return image;
  const double ratio = static_cast<double>(longest_px) / longest;
  const auto side = [ratio](int px) {
    return std::max(1, static_cast<int>(std::lround(px * ratio)));
  };
  cv::Mat result;
  cv::resize(detail::view(image), result, {side(image.size.width), side(image.size.height)}, 0, 0,
             longest > longest_px ? cv::INTER_AREA : cv::INTER_LINEAR);
  return detail::copy_of(result);
}

void use_one_thread_per_image() { cv::setNumThreads(1); }

}  // namespace yoloq::vision
