// SPDX-License-Identifier: Apache-2.0
#include "pipeline/decodable.h"

#include <tbb/parallel_for.h>

#include <utility>

#include "core/error.h"
#include "vision/image.h"

namespace yoloq::pipeline {

namespace {

/// Why an image does not decode; empty if it does.
std::string fault_of(const std::filesystem::path& image) {
  try {
    vision::read_image(image);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::corrupt_file) throw;
    return error.what();
  }
  return "";
}

}  // namespace

Decodable decodable(std::span<const std::filesystem::path> images) {
  vision::use_one_thread_per_image();
  std::vector<std::string> faults(images.size());
  tbb::parallel_for(std::size_t{0}, images.size(),
                    [&](std::size_t i) { faults[i] = fault_of(images[i]); });
  Decodable found;
  for (std::size_t i = 0; i < images.size(); ++i) {
    if (faults[i].empty()) {
      found.images.push_back(images[i]);
    } else {
      found.skipped.push_back(std::move(faults[i]));
    }
  }
  return found;
}

}  // namespace yoloq::pipeline
