// SPDX-License-Identifier: Apache-2.0
#include "runtime/tensorrt/detail/letterbox.h"

#include <algorithm>

namespace yoloq::runtime::tensorrt {

void Letterbox::operator()(std::size_t place, float* canvas, const vision::Image& image,
                           const vision::Placement& placement, cudaStream_t stream) {
  if (images_.size() <= place) images_.resize(place + 1);
  Buffer& buffer = images_[place];
  buffer.reserve(image.pixels.size());
  std::ranges::copy(image.pixels, reinterpret_cast<std::uint8_t*>(buffer.host()));
  check(::cudaMemcpyAsync(buffer.device(), buffer.host(), image.pixels.size(),
                          cudaMemcpyHostToDevice, stream),
        "uploading an image");
  const LetterboxTask task{.image = reinterpret_cast<const unsigned char*>(buffer.device()),
                           .canvas = canvas,
                           .width = image.size.width,
                           .height = image.size.height,
                           .canvas_width = placement.canvas.width,
                           .canvas_height = placement.canvas.height,
                           .resized_width = placement.resized.width,
                           .resized_height = placement.resized.height,
                           .left = placement.left,
                           .top = placement.top};
  check(launch_letterbox(task, stream), "letterboxing an image");
}

}  // namespace yoloq::runtime::tensorrt
