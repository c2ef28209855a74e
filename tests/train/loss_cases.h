// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

#include "train/loss_options.h"

namespace yoloq::train::test {

/// What is stored of the gradient at one field (x, y, w, h, objectness or all classes) of a head.
struct FieldFacts {
  double magnitude = 0;                ///< Sum of magnitudes.
  double weighted = 0;                 ///< Sum of values, each times noise(…, 9).
  std::vector<std::size_t> places;     ///< Of the two largest values, in [N, 3, fields, H, W].
  std::vector<double> largest_values;  ///< The values there.
};

/// One case of loss_cases.json: see make_loss_cases.py.
struct LossCase {
  std::string name;
  std::int64_t class_count = 0;
  std::size_t label_count = 0;
  std::string kind;
  std::int64_t batch = 0;
  std::int64_t height = 0;  ///< Of the image, in pixels.
  std::int64_t width = 0;
  LossOptions options;
  double total = 0;
  std::vector<double> parts;
  std::vector<std::vector<FieldFacts>> gradients;  ///< Per level, per field.

  std::vector<float> labels() const;  ///< [M, 6]
  std::vector<std::int64_t> head_shape(std::size_t level) const;
  std::vector<float> head(std::size_t level) const;  ///< Of head_shape().
};

void PrintTo(const LossCase& loss_case, std::ostream* stream);

std::vector<LossCase> loss_cases();

/// 0 to 1 in steps of 2^-24: noise() of make_loss_cases.py.
std::vector<double> noise(std::size_t count, std::uint32_t salt);

}  // namespace yoloq::train::test
