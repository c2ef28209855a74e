// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace yoloq::search {

/// A model as a front sees it.
struct Point {
  double accuracy = 0;  ///< The larger, the better.
  double time = 0;      ///< Per image; the smaller, the better.
};

/// Times that differ by less than this part of the fastest are taken for the same: on a machine
/// that others use, less cannot be told apart.
inline constexpr double kTimeStep = 0.01;

/// The points that no other beats: none is as fast and more accurate, or faster and as accurate. Of
/// equal ones the first is taken.
///
/// @returns indices, fastest first.
std::vector<std::size_t> pareto_front(std::span<const Point> points);

}  // namespace yoloq::search
