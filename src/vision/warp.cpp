// SPDX-License-Identifier: Apache-2.0
#include "vision/warp.h"

#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include "core/error.h"
#include "vision/detail/mat.h"

namespace yoloq::vision {

Image warp(const Image& image, const Matrix3& matrix, const WarpOptions& options) {
  const auto [width, height] = options.size;
  if (image.pixels.empty() || width <= 0 || height <= 0) {
    fail(ErrorCode::bad_argument, "cannot warp an image of {} x {} pixels to {} x {}",
         image.size.width, image.size.height, width, height);
  }
  Image warped{.size = options.size};
  warped.pixels.resize(static_cast<std::size_t>(width) * height * 3);
  cv::Mat target = detail::view(warped);
  const cv::Matx33d map(matrix.data());
  const bool affine = matrix[6] == 0 && matrix[7] == 0 && matrix[8] == 1;
  const cv::Scalar grey(options.grey, options.grey, options.grey);
  if (affine) {
    cv::warpAffine(detail::view(image), target, map.get_minor<2, 3>(0, 0), target.size(),
                   cv::INTER_LINEAR, cv::BORDER_CONSTANT, grey);
  } else {
    cv::warpPerspective(detail::view(image), target, map, target.size(), cv::INTER_LINEAR,
                        cv::BORDER_CONSTANT, grey);
  }
  return warped;
}

}  // namespace yoloq::vision
