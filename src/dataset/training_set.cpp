// SPDX-License-Identifier: Apache-2.0
#include "dataset/training_set.h"

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "dataset/detail/image_store.h"
#include "dataset/detail/picture.h"
#include "dataset/label_cache.h"
#include "vision/hsv.h"

namespace yoloq::dataset {

namespace {

constexpr double kInsidePx = 1e-3;  // A box ends so far before the canvas does, as Ultralytics'.
constexpr std::size_t kMostNamed = 5;
constexpr int kIndexBits = 32;

void check_size(vision::Size size) {
  if (size.width == size.height && size.width > 0 && size.width % 2 == 0) return;
  fail(ErrorCode::bad_argument, "samples of {} x {} pixels: expected a square of an even side",
       size.width, size.height);
}

/// Fails with the first bad images.
void refuse(const std::vector<BadImage>& bad, std::size_t images) {
  std::string lines;
  for (std::size_t i = 0; i < std::min(bad.size(), kMostNamed); ++i) lines += "\n  " + bad[i].why;
  if (bad.size() > kMostNamed) lines += "\n  ...";
  fail(ErrorCode::corrupt_file, "{} of {} images cannot be used; replace them or skip them:{}",
       bad.size(), images, lines);
}

/// As parts of the canvas, flipped.
TrainingLabel to_label(const PixelBox& box, int side_px, vision::Flip flip) {
  const double side = side_px;
  const auto within = [side](double value) { return std::clamp(value, 0.0, side - kInsidePx); };
  const double x1 = within(box.x1), x2 = within(box.x2);
  const double y1 = within(box.y1), y2 = within(box.y2);
  const double x = (x1 + x2) / 2 / side;
  const double y = (y1 + y2) / 2 / side;
  return {.class_index = box.class_index,
          .x = static_cast<float>(flip.left_right ? 1 - x : x),
          .y = static_cast<float>(flip.up_down ? 1 - y : y),
          .width = static_cast<float>((x2 - x1) / side),
          .height = static_cast<float>((y2 - y1) / side)};
}

/// Colours and pictures as they were drawn, before the flip.
detail::LabelledImage augmented(const detail::PictureSource& source, const Augmentation& drawn) {
  detail::LabelledImage result = detail::compose(source, drawn.pictures.front());
  for (std::size_t i = 1; i < drawn.pictures.size(); ++i) {
    const detail::LabelledImage other = detail::compose(source, drawn.pictures[i]);
    vision::blend(result.image, other.image, drawn.weight);
    result.boxes.insert(result.boxes.end(), other.boxes.begin(), other.boxes.end());
  }
  if (drawn.change_colours) vision::scale_hsv(result.image, drawn.gains);
  return result;
}

}  // namespace

TrainingSet::TrainingSet(std::vector<std::filesystem::path> images, std::size_t class_count,
                         TrainingSetOptions options, const Progress& progress)
    : options_(std::move(options)), class_count_(class_count) {
  check_size(options_.size);
  StoredIndex stored = options_.need_labels ? read_label_index(images, class_count, progress)
                                            : StoredIndex{.index = index_images(images, progress)};
  index_ = std::move(stored.index);
  cache_notice_ = std::move(stored.notice);
  if (!index_.bad.empty() && (!options_.skip_bad || index_.images.empty())) {
    refuse(index_.bad, images.size());
  }
  store_ = std::make_unique<detail::ImageStore>(
      index_.images, detail::ImageStoreOptions{.side_px = options_.size.width,
                                               .shrink_linearly = options_.augment,
                                               .cache_bytes = options_.cache_bytes,
                                               .skip_bad = options_.skip_bad});
}

TrainingSet::~TrainingSet() = default;
TrainingSet::TrainingSet(TrainingSet&&) noexcept = default;

TrainingSample TrainingSet::sample(std::uint64_t epoch, std::size_t index) const {
  TrainingSample sample;
  sample.planes.resize(3 * static_cast<std::size_t>(options_.size.width) * options_.size.height);
  sample.labels = sample_into(sample.planes, epoch, index);
  return sample;
}

std::vector<TrainingLabel> TrainingSet::sample_into(std::span<std::uint8_t> planes,
                                                    std::uint64_t epoch, std::size_t index) const {
  if (index >= size()) fail(ErrorCode::bad_argument, "sample {} of {} images", index, size());
  const detail::PictureSource source{
      .store = *store_, .index = index_, .side_px = options_.size.width};
  detail::LabelledImage result;
  vision::Flip flip;
  if (options_.augment) {
    const Augmentation drawn = augmentation(epoch, index);
    result = augmented(source, drawn);
    flip = drawn.flip;
  } else {
    result = detail::centred(source, index, false);
  }
  vision::write_planes(planes, result.image, flip);
  std::vector<TrainingLabel> labels;
  for (const PixelBox& box : result.boxes) {
    labels.push_back(to_label(box, source.side_px, flip));
  }
  return labels;
}

Augmentation TrainingSet::augmentation(std::uint64_t epoch, std::size_t index) const {
  Random random(options_.seed, epoch << kIndexBits | index);
  return draw_augmentation(options_.hyp, {.image_count = size(), .side_px = options_.size.width},
                           index, random);
}

std::vector<std::string> TrainingSet::notices() const {
  std::vector<std::string> all;
  if (!cache_notice_.empty()) all.push_back(cache_notice_);
  for (const BadImage& bad : index_.bad) all.push_back("left out: " + bad.why);
  for (const std::string& fault : store_->faults()) all.push_back("left out: " + fault);
  return all;
}

}  // namespace yoloq::dataset
