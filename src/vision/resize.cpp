// SPDX-License-Identifier: Apache-2.0
#include "vision/resize.h"

#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include "core/error.h"
#include "vision/detail/mat.h"

namespace yoloq::vision {

Image resize(const Image& image, Size size, Interpolation interpolation) {
  if (image.pixels.empty() || size.width <= 0 || size.height <= 0) {
    fail(ErrorCode::bad_argument, "cannot resize an image of {} x {} pixels to {} x {}",
         image.size.width, image.size.height, size.width, size.height);
  }
  Image resized{.size = size};
  resized.pixels.resize(static_cast<std::size_t>(size.width) * size.height * 3);
  cv::Mat target = detail::view(resized);
  const int method = interpolation == Interpolation::area ? cv::INTER_AREA : cv::INTER_LINEAR;
  cv::resize(detail::view(image), target, target.size(), 0, 0, method);
  return resized;
}

}  // namespace yoloq::vision
