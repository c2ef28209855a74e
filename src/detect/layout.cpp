// SPDX-License-Identifier: Apache-2.0
#include "detect/detail/layout.h"

#include <string>

#include "core/error.h"
#include "core/tensor.h"

namespace yoloq::detect::detail {

namespace {

[[noreturn]] void reject(const Head& head, const HeadBatch& batch, std::size_t output,
                         const Shape& expected) {
  fail(
      ErrorCode::bad_argument,
      "output '{}' has shape {}, expected {} for {} classes, image {} of the batch and an input of "
      "{} x {} pixels",
      head.outputs[output], to_string(batch.outputs[output].shape), to_string(expected),
      head.class_count, batch.image, batch.canvas.width, batch.canvas.height);
}

/// The shape as it has to be, with the batch size that it has.
void require(const Head& head, const HeadBatch& batch, std::size_t output, Shape expected) {
  const HeadOutput& actual = batch.outputs[output];
  if (!actual.shape.empty()) expected[0] = actual.shape[0];
  const bool fits = actual.shape == expected && batch.image < static_cast<std::size_t>(expected[0]);
  if (fits && static_cast<std::size_t>(element_count(expected)) == actual.values.size()) return;
  reject(head, batch, output, expected);
}

}  // namespace

void check(const Head& head, const HeadBatch& batch) {
  const bool raw = head.form != HeadForm::decoded;
  const std::size_t levels = head.outputs.size();
  const bool complete = head.class_count > 0 && levels > 0 &&
                        (!raw || (head.strides.size() == levels && head.anchors.size() == levels));
  if (!complete) fail(ErrorCode::bad_argument, "the head lacks its classes, strides or anchors");
  if (batch.outputs.size() == levels && (raw || levels == 1)) return;
  fail(ErrorCode::bad_argument, "the head has {} outputs, but {} were given", levels,
       batch.outputs.size());
}

Layout layout_of(const Head& head, const HeadBatch& batch, std::size_t level) {
  const int stride = head.strides[level];
  if (stride <= 0 || batch.canvas.width % stride != 0 || batch.canvas.height % stride != 0) {
    fail(ErrorCode::bad_argument, "an input of {} x {} pixels is no multiple of the stride {}",
         batch.canvas.width, batch.canvas.height, stride);
  }
  const std::int64_t height = batch.canvas.height / stride;
  const std::int64_t width = batch.canvas.width / stride;
  const auto anchors = static_cast<std::int64_t>(head.anchors[level].size());
  const std::int64_t channels = 5 + head.class_count;
  const bool planar = head.form == HeadForm::raw4d;
  require(head, batch, level,
          planar ? Shape{1, anchors * channels, height, width}
                 : Shape{1, anchors, height, width, channels});
  const auto cells = static_cast<std::size_t>(height * width);
  const auto per_anchor = cells * static_cast<std::size_t>(channels);
  return {.height = static_cast<std::size_t>(height),
          .width = static_cast<std::size_t>(width),
          .image_step = per_anchor * static_cast<std::size_t>(anchors),
          .anchor_step = per_anchor,
          .channel_step = planar ? cells : 1,
          .cell_step = planar ? 1 : static_cast<std::size_t>(channels)};
}

Rows rows_of(const Head& head, const HeadBatch& batch) {
  const HeadOutput& output = batch.outputs.front();
  const std::int64_t columns = 5 + head.class_count;
  const std::int64_t count = output.shape.size() == 3 ? output.shape[1] : 0;
  require(head, batch, 0, {1, count, columns});
  return {.values = output.values.data() + batch.image * static_cast<std::size_t>(count * columns),
          .count = static_cast<std::size_t>(count),
          .columns = static_cast<std::size_t>(columns)};
}

}  // namespace yoloq::detect::detail
