// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "vision/image.h"

/// @file
/// A data set that a test makes itself: images, YOLO labels and the yaml, so that the whole flow is
/// tested without real data.

namespace yoloq::test {

/// Rectangles of random colours on noise, the same for the same seed on every machine.
vision::Image tiny_image(std::uint32_t seed, vision::Size size);

/// One colour.
vision::Image plain_image(std::uint8_t grey, vision::Size size);

struct TinyDataSet {
  std::filesystem::path yaml;  ///< With `path`, `train`, `val` and names "class 0" to "class 2".
  std::vector<std::filesystem::path> train;
  std::vector<std::filesystem::path> val;
};

/// Writes images/train, images/val, labels/ and data.yaml below `folder`. Images are PNG of several
/// sizes, called 000000000001.png and on; each has two labels.
TinyDataSet write_tiny_data_set(const std::filesystem::path& folder, int train = 6, int val = 5);

}  // namespace yoloq::test
