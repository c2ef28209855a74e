// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "core/file.h"
#include "core/random.h"
#include "support/data.h"
#include "vision/image.h"
#include "vision/resize.h"

namespace yoloq::dataset {

/// Soft blobs of all colours, so that a shift by a pixel shows without every pixel being a border.
inline vision::Image blobs(vision::Size size, std::uint64_t seed) {
  Random random(seed, 0);
  vision::Image small{.size = {size.width / 6 + 2, size.height / 6 + 2}};
  small.pixels.resize(static_cast<std::size_t>(small.size.width) * small.size.height * 3);
  for (std::uint8_t& byte : small.pixels) byte = static_cast<std::uint8_t>(random.below(256));
  return vision::resize(small, size, vision::Interpolation::linear);
}

/// A data set in a temporary folder: images/train/<n>.png, labels/train/<n>.txt.
class SmallSet {
 public:
  /// Adds an image with the text of its label file.
  const std::filesystem::path& add(vision::Size size, const std::string& labels) {
    const std::string name = std::to_string(images_.size());
    std::filesystem::create_directories(folder_ / "images/train");
    std::filesystem::create_directories(folder_ / "labels/train");
    images_.push_back(folder_ / ("images/train/" + name + ".png"));
    vision::write_image(images_.back(), blobs(size, images_.size()));
    write_file(label_file(images_.size() - 1), labels);
    return images_.back();
  }

  std::filesystem::path label_file(std::size_t image) const {
    return folder_ / ("labels/train/" + std::to_string(image) + ".txt");
  }

  const std::vector<std::filesystem::path>& images() const { return images_; }
  const test::TemporaryFolder& folder() const { return folder_; }

 private:
  test::TemporaryFolder folder_;
  std::vector<std::filesystem::path> images_;
};

/// Five images of several shapes with one to three boxes each, of three classes.
inline void fill(SmallSet& set) {
  set.add({96, 64}, "0 0.5 0.5 0.4 0.5\n1 0.2 0.3 0.2 0.4\n");
  set.add({50, 80}, "2 0.6 0.5 0.5 0.3\n");
  set.add({150, 110}, "1 0.5 0.5 1 1\n0 0.8 0.8 0.3 0.3\n2 0.1 0.1 0.1 0.15\n");
  set.add({97, 96}, "0 0.3 0.7 0.2 0.2\n");
  set.add({40, 30}, "2 0.5 0.4 0.6 0.6\n");
}

/// Makes the files below a folder a day old: nobody is writing them at the moment.
inline void make_old(const std::filesystem::path& folder) {
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    std::filesystem::last_write_time(
        entry, std::filesystem::file_time_type::clock::now() - std::chrono::hours(24));
  }
}

inline void make_old(const SmallSet& set) { make_old(set.folder().path()); }

}  // namespace yoloq::dataset
