// SPDX-License-Identifier: Apache-2.0
#include "search/front.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>

namespace yoloq::search {

std::vector<std::size_t> pareto_front(std::span<const Point> points) {
  if (points.empty()) return {};
  const double fastest = std::ranges::min(points, {}, &Point::time).time;
  const auto steps = [&](std::size_t i) {
    return std::llround((points[i].time / fastest - 1) / kTimeStep);
  };
  std::vector<std::size_t> order(points.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::sort(order, {},
                    [&](std::size_t i) { return std::tuple(steps(i), -points[i].accuracy, i); });
  std::vector<std::size_t> front;
  for (const std::size_t i : order) {
    if (front.empty() || points[i].accuracy > points[front.back()].accuracy) front.push_back(i);
  }
  return front;
}

}  // namespace yoloq::search
