// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace yoloq::pipeline {

/// The images of a list that decode, and what is wrong with the others.
struct Decodable {
  std::vector<std::filesystem::path> images;  ///< In the order of the list.
  std::vector<std::string> skipped;           ///< One message per image left out, in that order.
};

/// Decodes every image to know whether that can be done: for work that goes through the same images
/// again and again. Several at a time.
///
/// @throws Error(not_found), Error(io) for an image that is not there or cannot be read.
Decodable decodable(std::span<const std::filesystem::path> images);

}  // namespace yoloq::pipeline
