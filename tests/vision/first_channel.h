// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "vision/image.h"

namespace yoloq::test {

/// The first of each pixel's three values, row by row.
inline std::vector<std::uint8_t> first_channel(const vision::Image& image) {
  std::vector<std::uint8_t> values;
  for (std::size_t i = 0; i < image.pixels.size(); i += 3) values.push_back(image.pixels[i]);
  return values;
}

}  // namespace yoloq::test
