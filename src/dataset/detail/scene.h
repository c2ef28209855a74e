// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/random.h"
#include "dataset/detail/outline.h"
#include "dataset/labels.h"
#include "vision/image.h"
#include "vision/polygon.h"

namespace yoloq::dataset::detail {

/// An image onto which shapes are laid one after the other, and what each still shows of itself.
class Scene {
 public:
  /// @param least_visible  the part of each shape's area that stays inside the image and under no
  ///                       other shape.
  Scene(vision::Image background, double least_visible);

  /// Lays a shape on top, if it and all below it stay visible enough; else nothing changes.
  ///
  /// @param outline  around (0, 0), as of a ShapeKind.
  /// @returns whether it was laid.
  bool add(int class_index, const Outline& outline, const Placement& placement, Random& random);

  vision::Image& image() { return image_; }

  /// Per shape: the box around the whole of it, cut at the image's edges.
  std::vector<Label> labels() const;

 private:
  struct Shape {
    int class_index = 0;
    vision::Rect box = {};  ///< Uncut.
    double area = 0;        ///< Square pixels, hidden ones and those outside included.
    double visible = 0;
  };

  /// What every shape would show if `coverage` were laid on top; none if one would show too little.
  std::optional<std::vector<double>> visible_under(const vision::Coverage& coverage) const;
  void paint(const Outline& outline, const Placement& placement, const vision::Coverage& coverage,
             Random& random);
  vision::Colour mean_under(const vision::Coverage& coverage) const;

  vision::Image image_;
  double least_visible_;
  std::vector<std::int16_t> top_;  ///< Per pixel the number of the shape that is seen; -1: none.
  std::vector<Shape> shapes_;
};

}  // namespace yoloq::dataset::detail
