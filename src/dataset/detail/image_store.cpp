// SPDX-License-Identifier: Apache-2.0
#include "dataset/detail/image_store.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/error.h"
#include "vision/resize.h"

namespace yoloq::dataset::detail {

namespace {

/// The image with its longer side of `side_px`.
///
/// Source: load_image() of Ultralytics' utils/dataloaders.py; where a product is not a whole number
/// by the last bit of a double, a side becomes one pixel longer there and here.
vision::Image brought_to_side(vision::Image image, const ImageStoreOptions& options) {
  const auto [width, height] = image.size;
  const double ratio = static_cast<double>(options.side_px) / std::max(width, height);
  if (ratio == 1) return image;
  const vision::Size size{.width = static_cast<int>(std::ceil(width * ratio)),
                          .height = static_cast<int>(std::ceil(height * ratio))};
  const bool linearly = options.shrink_linearly || ratio > 1;
  return vision::resize(image, size,
                        linearly ? vision::Interpolation::linear : vision::Interpolation::area);
}

}  // namespace

ImageStore::ImageStore(std::vector<std::filesystem::path> paths, const ImageStoreOptions& options)
    : paths_(std::move(paths)), options_(options), images_(paths_.size()), faults_(paths_.size()) {}

ImageStore::Loaded ImageStore::load(std::size_t index) const {
  for (std::size_t tried = 0; tried < paths_.size(); ++tried) {
    const std::size_t at = (index + tried) % paths_.size();
    if (auto image = kept(at)) return {std::move(image), at};
    {
      const std::lock_guard lock(mutex_);
      if (faults_[at]) continue;
    }
    try {
      return {decode(at), at};
    } catch (const Error& error) {
      if (!options_.skip_bad) throw;
      const std::lock_guard lock(mutex_);
      faults_[at] = error.what();
    }
  }
  fail(ErrorCode::corrupt_file, "none of the {} images can be decoded", paths_.size());
}

std::vector<std::string> ImageStore::faults() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> all;
  for (const auto& fault : faults_) {
    if (fault) all.push_back(*fault);
  }
  return all;
}

std::shared_ptr<const vision::Image> ImageStore::kept(std::size_t index) const {
  const std::lock_guard lock(mutex_);
  return images_[index];
}

std::shared_ptr<const vision::Image> ImageStore::decode(std::size_t index) const {
  auto image = std::make_shared<const vision::Image>(
      brought_to_side(vision::read_image(paths_[index]), options_));
  const std::size_t bytes = image->pixels.size();
  const std::lock_guard lock(mutex_);
  if (!images_[index] && used_bytes_ + bytes <= options_.cache_bytes) {
    images_[index] = image;
    used_bytes_ += bytes;
  }
  return image;
}

}  // namespace yoloq::dataset::detail
