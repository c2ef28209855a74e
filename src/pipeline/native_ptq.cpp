// SPDX-License-Identifier: Apache-2.0
#include "pipeline/native_ptq.h"

#include <fmt/format.h>

#include <memory>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/file.h"
#include "core/hash.h"
#include "pipeline/calibration.h"
#include "vision/image.h"
#include "vision/letterbox.h"

namespace yoloq::pipeline {

namespace fs = std::filesystem;

namespace {

/// The images one batch after the other.
class Batches {
 public:
  Batches(std::vector<fs::path> images, const NativePtqOptions& options)
      : images_(std::move(images)),
        batch_(static_cast<std::size_t>(options.batch.front())),
        size_{.width = static_cast<int>(options.batch.at(3)),
              .height = static_cast<int>(options.batch.at(2))},
        progress_(options.progress) {}

  bool next(std::span<float> values) {
    if (next_ + batch_ > images_.size()) return false;
    const std::size_t length = values.size() / batch_;
    for (std::size_t i = 0; i < batch_; ++i) {
      vision::letterbox_into(values.subspan(i * length, length),
                             vision::read_image(images_[next_ + i]), {.size = size_});
    }
    next_ += batch_;
    if (progress_) progress_(next_, images_.size());
    return true;
  }

 private:
  std::vector<fs::path> images_;
  std::size_t batch_;
  vision::Size size_;
  Progress progress_;
  std::size_t next_ = 0;
};

std::string cache_key(const DetectionModel& model, const std::vector<fs::path>& images,
                      const NativePtqOptions& options) {
  Hasher hasher;
  hasher.add("native ptq 1").add(model.hash).add(options.method).add(to_string(options.batch));
  for (const fs::path& image : images) hasher.add(image.filename().string()).add(read_file(image));
  return hasher.hex();
}

}  // namespace

runtime::NativePtq native_ptq(const DetectionModel& model, std::span<const fs::path> images,
                              const NativePtqOptions& options) {
  const auto batch = static_cast<std::size_t>(options.batch.front());
  auto picked = pick_images(images, options.images);
  picked.resize(picked.size() / batch * batch);
  if (picked.empty()) {
    fail(ErrorCode::not_found, "{} images are not one batch of {} to calibrate on", images.size(),
         batch);
  }
  runtime::NativePtq ptq{.method = options.method, .batch = options.batch};
  if (!options.cache.empty()) {
    fs::create_directories(options.cache);
    ptq.cache = options.cache / (cache_key(model, picked, options) + ".trtcalib");
  }
  ptq.next_batch = [batches = std::make_shared<Batches>(std::move(picked), options)](
                       std::span<float> values) { return batches->next(values); };
  return ptq;
}

}  // namespace yoloq::pipeline
