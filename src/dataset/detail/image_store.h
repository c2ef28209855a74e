// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "vision/image.h"

namespace yoloq::dataset::detail {

struct ImageStoreOptions {
  int side_px = 640;            ///< Of the longer side.
  bool shrink_linearly = true;  ///< False: by area, as where nothing is augmented.
  std::size_t cache_bytes = 0;
  bool skip_bad = false;
};

/// Images decoded and brought to the size of samples; kept, first come first served, until the
/// cache is full. Every image is used about equally often, so none is worth more room than another.
class ImageStore {
 public:
  /// An image and which one it is: another than was asked for where that one is damaged.
  struct Loaded {
    std::shared_ptr<const vision::Image> image;
    std::size_t index = 0;
  };

  ImageStore(std::vector<std::filesystem::path> paths, const ImageStoreOptions& options);

  /// The image, or with skip_bad the next one that can be decoded; for any thread.
  ///
  /// @throws Error(corrupt_file) naming the image, or saying that none can be decoded.
  Loaded load(std::size_t index) const;

  /// Why images were left out so far.
  std::vector<std::string> faults() const;

 private:
  std::shared_ptr<const vision::Image> kept(std::size_t index) const;
  std::shared_ptr<const vision::Image> decode(std::size_t index) const;

  std::vector<std::filesystem::path> paths_;
  ImageStoreOptions options_;
  mutable std::mutex mutex_;
  mutable std::vector<std::shared_ptr<const vision::Image>> images_;
  mutable std::vector<std::optional<std::string>> faults_;
  mutable std::size_t used_bytes_ = 0;
};

}  // namespace yoloq::dataset::detail
