// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <opencv2/core.hpp>

#include "vision/image.h"

/// @file
/// The way between Image and OpenCV's matrices, for the .cpp files of this folder.

namespace yoloq::vision::detail {

/// `image` as a matrix that shares its pixels; valid as long as it lives.
inline cv::Mat view(Image& image) {
  return {image.size.height, image.size.width, CV_8UC3, image.pixels.data()};
}

/// As above; only read from it.
inline cv::Mat view(const Image& image) { return view(const_cast<Image&>(image)); }

/// A matrix of bytes [height, width, 3] as an Image.
inline Image copy_of(const cv::Mat& mat) {
  Image image{.size = {.width = mat.cols, .height = mat.rows}};
  image.pixels.resize(static_cast<std::size_t>(mat.cols) * mat.rows * 3);
  mat.copyTo(view(image));
  return image;
}

}  // namespace yoloq::vision::detail
