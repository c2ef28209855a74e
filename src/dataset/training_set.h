// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/progress.h"
#include "dataset/augmentation.h"
#include "dataset/hyperparameters.h"
#include "dataset/label_index.h"
#include "vision/geometry.h"

namespace yoloq::dataset {

struct TrainingSample {
  std::vector<std::uint8_t> planes;   ///< [3, height, width], red green blue.
  std::vector<TrainingLabel> labels;  ///< Parts of the canvas.
};

struct TrainingSetOptions {
  vision::Size size{640, 640};  ///< Of a sample: square, as a mosaic is.
  Hyperparameters hyp;
  bool augment = true;  ///< False: letterboxed, and nothing is drawn.
  std::uint64_t seed = 0;
  std::size_t cache_bytes = 0;  ///< For decoded images that stay in memory.
  bool skip_bad = false;        ///< Leave images out that cannot be used; else they are an error.
  /// False: samples have no labels and no label file or label cache is read or written, as where a
  /// network learns from another; images are as with labels.
  bool need_labels = true;
};

namespace detail {
class ImageStore;
}

/// The images of a split as samples to train on. Any number of threads may ask for samples.
class TrainingSet {
 public:
  /// Reads headers and labels, or the label cache beside the labels' folder where it holds them;
  /// headers alone without need_labels.
  ///
  /// @throws Error(bad_argument) for an empty list or a size that is not square and even, else as
  /// read_label_index() or index_images(); without skip_bad Error(corrupt_file) with the first
  /// images that cannot be used.
  TrainingSet(std::vector<std::filesystem::path> images, std::size_t class_count,
              TrainingSetOptions options, const Progress& progress = {});
  ~TrainingSet();
  TrainingSet(TrainingSet&&) noexcept;
  TrainingSet& operator=(TrainingSet&&) = delete;

  /// Images that can be used.
  std::size_t size() const { return index_.images.size(); }

  std::size_t class_count() const { return class_count_; }
  const TrainingSetOptions& options() const { return options_; }
  /// Labels as they are in the files, none without need_labels, and sizes of the images.
  const LabelIndex& index() const { return index_; }

  /// fingerprint_of() the index: a training that goes on can tell whether its images and the labels
  /// that it uses are those that it began with.
  std::string fingerprint() const { return fingerprint_of(index_); }

  /// The sample of image `index` in `epoch`: depends on seed, epoch and index alone, never on
  /// threads or order.
  ///
  /// With skip_bad, an image that turns out damaged when it is decoded is replaced by the next one
  /// of the list that is not.
  ///
  /// @throws Error(bad_argument) if there is no such image, Error(corrupt_file) naming an image
  /// that cannot be decoded.
  TrainingSample sample(std::uint64_t epoch, std::size_t index) const;

  /// The same into memory of the caller; returns the labels.
  ///
  /// @param planes  [3, height, width], written whole.
  std::vector<TrainingLabel> sample_into(std::span<std::uint8_t> planes, std::uint64_t epoch,
                                         std::size_t index) const;

  /// What sample() draws; of no effect without `augment`.
  Augmentation augmentation(std::uint64_t epoch, std::size_t index) const;

  /// What a user should know: why the label cache could not be written, images left out so far.
  std::vector<std::string> notices() const;

 private:
  TrainingSetOptions options_;
  std::size_t class_count_ = 0;
  LabelIndex index_;
  std::string cache_notice_;
  std::unique_ptr<detail::ImageStore> store_;
};

}  // namespace yoloq::dataset
