// SPDX-License-Identifier: Apache-2.0
#include "dataset/label_index.h"

#include <functional>

#include "core/error.h"
#include "core/file.h"
#include "core/hash.h"
#include "dataset/detail/byte_stream.h"
#include "dataset/labels.h"
#include "vision/header.h"
#include "vision/image.h"

namespace yoloq::dataset {

namespace fs = std::filesystem;

namespace {

TrainingLabel to_training(const Label& label) {
  return {.class_index = label.class_index,
          .x = static_cast<float>(label.x),
          .y = static_cast<float>(label.y),
          .width = static_cast<float>(label.width),
          .height = static_cast<float>(label.height)};
}

/// The upright size of an image whose file is whole.
vision::Size size_of_whole(const fs::path& image) {
  const std::string bytes = read_file(image);
  const auto header = vision::read_header(bytes);
  if (!header) return vision::decode_image(bytes, image.string()).size;
  if (header->complete) return header->upright();
  fail(ErrorCode::corrupt_file, "image '{}' is incomplete: its end is missing", image.string());
}

/// Adds the labels of an image; false if it has no label file.
bool add_labels(const fs::path& image, std::size_t class_count, LabelIndex& index) {
  const fs::path file = label_path(image);
  std::error_code ignored;
  if (!fs::exists(file, ignored)) return false;
  for (const Label& label : parse_labels(read_file(file), file.string(), class_count)) {
    index.labels.push_back(to_training(label));
  }
  return true;
}

/// Adds the labels of an image that can be used.
using AddLabels = std::function<void(const fs::path& image, LabelIndex& index)>;

LabelIndex index_each(std::span<const fs::path> images, const AddLabels& add,
                      const Progress& progress) {
  if (images.empty()) {
    fail(ErrorCode::bad_argument, "an empty data set: expected at least one image");
  }
  LabelIndex index;
  for (std::size_t i = 0; i < images.size(); ++i) {
    try {
      index.sizes.push_back(size_of_whole(images[i]));
      index.images.push_back(images[i]);
    } catch (const Error& error) {
      index.bad.push_back({images[i], error.what()});
    }
    if (index.ends.size() < index.images.size()) {
      add(images[i], index);
      index.ends.push_back(index.labels.size());
    }
    if (progress) progress(i + 1, images.size());
  }
  return index;
}

}  // namespace

LabelIndex index_labels(std::span<const fs::path> images, std::size_t class_count,
                        const Progress& progress) {
  const auto add = [class_count](const fs::path& image, LabelIndex& index) {
    if (!add_labels(image, class_count, index)) ++index.unlabelled;
  };
  LabelIndex index = index_each(images, add, progress);
  if (!index.images.empty() && index.unlabelled == index.images.size()) {
    fail(ErrorCode::not_found,
         "nothing to learn from: none of the {} images has a label file; looked for '{}' and so on",
         images.size(), label_path(images.front()).string());
  }
  return index;
}

LabelIndex index_images(std::span<const fs::path> images, const Progress& progress) {
  const auto add_none = [](const fs::path&, LabelIndex&) {};
  return index_each(images, add_none, progress);
}

std::string fingerprint_of(const LabelIndex& index) {
  Hasher hasher;
  for (std::size_t i = 0; i < index.images.size(); ++i) {
    detail::ByteWriter writer;
    writer.add_text(index.images[i].filename().native());
    writer.add(std::int32_t{index.sizes[i].width});
    writer.add(std::int32_t{index.sizes[i].height});
    for (const TrainingLabel& label : index.labels_of(i)) {
      writer.add(std::int32_t{label.class_index});
      for (const float value : {label.x, label.y, label.width, label.height}) writer.add(value);
    }
    hasher.add(writer.bytes());
  }
  return hasher.hex();
}

}  // namespace yoloq::dataset
