// SPDX-License-Identifier: Apache-2.0
#include "dataset/detail/picture.h"

#include <algorithm>
#include <span>

#include "vision/compose.h"
#include "vision/letterbox.h"
#include "vision/resize.h"
#include "vision/warp.h"

namespace yoloq::dataset::detail {

namespace {

using vision::Matrix3;
using vision::Size;

constexpr Matrix3 kUnmoved{1, 0, 0, 0, 1, 0, 0, 0, 1};

/// Where the top left corner of an image comes to lie.
struct Corner {
  int left;
  int top;
};

/// Puts an image on the canvas, and its labels, cut at the canvas' borders.
void put(LabelledImage& canvas, const vision::Image& image, Corner at,
         std::span<const TrainingLabel> labels) {
  vision::paste(canvas.image, image, at.left, at.top);
  const auto [width, height] = canvas.image.size;
  const auto within = [](double value, int side) { return std::clamp(value, 0.0, double(side)); };
  for (const TrainingLabel& label : labels) {
    const double x = label.x * static_cast<double>(image.size.width) + at.left;
    const double y = label.y * static_cast<double>(image.size.height) + at.top;
    const double half_width = label.width * static_cast<double>(image.size.width) / 2;
    const double half_height = label.height * static_cast<double>(image.size.height) / 2;
    canvas.boxes.push_back({.class_index = label.class_index,
                            .x1 = within(x - half_width, width),
                            .y1 = within(y - half_height, height),
                            .x2 = within(x + half_width, width),
                            .y2 = within(y + half_height, height)});
  }
}

LabelledImage mosaic(const PictureSource& source, const Picture& picture) {
  LabelledImage canvas{.image = vision::grey_image({2 * source.side_px, 2 * source.side_px})};
  for (std::size_t i = 0; i < picture.images.size(); ++i) {
    const auto [image, index] = source.store.load(picture.images[i]);
    const bool on_the_left = i % 2 == 0;
    const bool above = i < 2;
    const Corner corner{.left = picture.centre_x - (on_the_left ? image->size.width : 0),
                        .top = picture.centre_y - (above ? image->size.height : 0)};
    put(canvas, *image, corner, source.index.labels_of(index));
  }
  return canvas;
}

}  // namespace

LabelledImage centred(const PictureSource& source, std::size_t wanted, bool scale_up) {
  const auto [image, index] = source.store.load(wanted);
  const Size size{source.side_px, source.side_px};
  const vision::Placement at = vision::place(image->size, {.size = size, .scale_up = scale_up});
  LabelledImage canvas{.image = vision::grey_image(size)};
  const Corner corner{.left = at.left, .top = at.top};
  const auto labels = source.index.labels_of(index);
  if (at.resized == at.original) {
    put(canvas, *image, corner, labels);
  } else {
    put(canvas, vision::resize(*image, at.resized, vision::Interpolation::linear), corner, labels);
  }
  return canvas;
}

LabelledImage compose(const PictureSource& source, const Picture& picture) {
  LabelledImage canvas =
      picture.is_mosaic ? mosaic(source, picture) : centred(source, picture.images[0], true);
  const Size size{source.side_px, source.side_px};
  const Matrix3 matrix = matrix_of(picture.perspective, canvas.image.size, size);
  canvas.boxes = move_boxes(canvas.boxes, picture.perspective, canvas.image.size, size);
  if (picture.is_mosaic || matrix != kUnmoved) {
    canvas.image = vision::warp(canvas.image, matrix, {.size = size});
  }
  return canvas;
}

}  // namespace yoloq::dataset::detail
