// SPDX-License-Identifier: Apache-2.0
#include "coco/tide.h"

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include "coco/detail/group.h"
#include "coco/detail/overlap.h"

namespace yoloq::coco {

namespace {

constexpr double kForeground = 0.5;  ///< t_f
constexpr double kBackground = 0.1;  ///< t_b
constexpr std::size_t kMostDetections = 100;
constexpr std::size_t kRecallSteps = 100;

/// A box to be found, and who found it.
struct Wanted {
  const Box* box = nullptr;
  bool used = false;                ///< A detection is right because of it.
  const Detection* best = nullptr;  ///< The surest that would be right if its error were fixed.
};

/// A detection and what became of it.
struct Judged {
  const Detection* detection = nullptr;
  bool right = false;
  bool ignored = false;            ///< In a crowd: neither right nor wrong.
  std::optional<ErrorKind> error;  ///< Of those that are not right.
  Wanted* target = nullptr;        ///< Of ErrorKind::classification and localisation.
};

/// One image.
struct Scene {
  std::vector<Wanted> wanted;
  std::vector<const Box*> crowds;
  std::vector<Judged> judged;  ///< By falling score.
};

double overlap(const Detection& detection, const Box& box) {
  const auto area = [](const std::array<double, 4>& bbox) { return bbox[2] * bbox[3]; };
  return detail::overlap_of(detection.bbox, area(detection.bbox), box.bbox, area(box.bbox),
                            box.is_crowd);
}

/// The largest overlap with a wanted box among those that `suits` takes, the first of equals.
struct Nearest {
  Wanted* wanted = nullptr;
  double overlap = 0;
};
template <typename Suits>
Nearest nearest(Scene& scene, const Detection& detection, Suits suits) {
  Nearest best;
  for (Wanted& wanted : scene.wanted) {
    if (!suits(wanted)) continue;
    const double value = overlap(detection, *wanted.box);
    if (value > best.overlap) best = {&wanted, value};
  }
  return best;
}

/// Gives each detection the free box of its class that it overlaps most.
void find_right_ones(Scene& scene) {
  for (Judged& judged : scene.judged) {
    const Detection& detection = *judged.detection;
    const Nearest found = nearest(scene, detection, [&](const Wanted& wanted) {
      return !wanted.used && wanted.box->category_id == detection.category_id;
    });
    if (found.wanted == nullptr || found.overlap < kForeground) continue;
    judged.right = found.wanted->used = true;
  }
  for (Judged& judged : scene.judged) {
    if (judged.right) continue;
    judged.ignored = std::ranges::any_of(scene.crowds, [&](const Box* crowd) {
      return crowd->category_id == judged.detection->category_id &&
             overlap(*judged.detection, *crowd) > kForeground;
    });
  }
}

/// Why a detection is not right, and the box that it would get if it were.
std::pair<ErrorKind, Wanted*> error_of(Scene& scene, const Detection& detection) {
  const auto same = [&](const Wanted& wanted) {
    return wanted.box->category_id == detection.category_id;
  };
  const Nearest own = nearest(scene, detection, same);
  if (own.overlap >= kBackground && own.overlap <= kForeground) {
    return {ErrorKind::localisation, own.wanted};
  }
  const Nearest other =
      nearest(scene, detection, [&](const Wanted& wanted) { return !same(wanted); });
  if (other.overlap >= kForeground) return {ErrorKind::classification, other.wanted};
  const Nearest used =
      nearest(scene, detection, [&](const Wanted& wanted) { return same(wanted) && wanted.used; });
  if (used.overlap >= kForeground) return {ErrorKind::duplicate, nullptr};
  const bool on_background = std::max(own.overlap, other.overlap) <= kBackground;
  return {on_background ? ErrorKind::background : ErrorKind::both, nullptr};
}

void find_errors(Scene& scene) {
  for (Judged& judged : scene.judged) {
    if (judged.right) continue;
    std::tie(judged.error, judged.target) = error_of(scene, *judged.detection);
    if (judged.target == nullptr || judged.target->used) continue;
    const Detection*& best = judged.target->best;
    if (best == nullptr || best->score < judged.detection->score) best = judged.detection;
  }
}

/// What average precision is made from.
struct Point {
  double score = 0;
  bool right = false;
};
struct ClassPoints {
  std::vector<Point> points;
  std::size_t boxes = 0;
};
using Points = std::map<std::int64_t, ClassPoints>;

/// Precision at each hundredth of recall, the highest at that or any later point, on average.
double average_precision(ClassPoints& of_class) {
  auto& points = of_class.points;
  std::ranges::stable_sort(points, std::ranges::greater{}, &Point::score);
  std::vector<double> precision;
  std::vector<double> recall;
  double right = 0;
  for (const Point& point : points) {
    right += point.right ? 1 : 0;
    precision.push_back(right / static_cast<double>(precision.size() + 1));
    recall.push_back(right / static_cast<double>(of_class.boxes));
  }
  for (std::size_t i = precision.size(); i-- > 1;) {
    precision[i - 1] = std::max(precision[i - 1], precision[i]);
  }
  double sum = 0;
  for (std::size_t step = 0; step <= kRecallSteps; ++step) {
    const double wanted = static_cast<double>(step) / kRecallSteps;
    const auto at = std::ranges::lower_bound(recall, wanted);
    if (at != recall.end()) sum += precision[static_cast<std::size_t>(at - recall.begin())];
  }
  return sum / (kRecallSteps + 1);
}

/// The mean over the classes that have boxes; 0 if there is none.
double mean_average_precision(Points points) {
  double sum = 0;
  std::size_t classes = 0;
  for (auto& [category, of_class] : points) {
    if (of_class.boxes == 0) continue;
    sum += average_precision(of_class);
    ++classes;
  }
  return classes == 0 ? 0 : sum / static_cast<double>(classes);
}

/// True if no detection is right because of the box, nor would be if its class or place were fixed.
bool is_missed(const Wanted& wanted) { return !wanted.used && wanted.best == nullptr; }

void add_fixed(const Judged& judged, Points& points) {
  if (judged.target == nullptr || judged.target->best != judged.detection) return;
  points[judged.target->box->category_id].points.push_back({judged.detection->score, true});
}

/// The detections of all images with the errors of one kind fixed.
Points points_of(const std::vector<Scene>& scenes, std::optional<ErrorKind> fixed) {
  Points points;
  for (const Scene& scene : scenes) {
    for (const Wanted& wanted : scene.wanted) {
      if (fixed == ErrorKind::missed && is_missed(wanted)) continue;
      ++points[wanted.box->category_id].boxes;
    }
    for (const Judged& judged : scene.judged) {
      if (judged.error && judged.error == fixed) {
        add_fixed(judged, points);
      } else if (!judged.ignored) {
        points[judged.detection->category_id].points.push_back(
            {judged.detection->score, judged.right});
      }
    }
  }
  return points;
}

std::vector<Scene> scenes_of(const Annotations& annotations, std::span<const Detection> detections,
                             const detail::Scope& scope) {
  std::vector<Scene> scenes(scope.images.size());
  auto boxes = detail::group_boxes(annotations.boxes, scope);
  auto entries = detail::group_detections(detections, scope);
  for (std::size_t k = 0; k < scope.categories.size(); ++k) {
    for (const detail::PlacedBox& placed : boxes.of(k)) {
      Scene& scene = scenes[placed.image];
      if (placed.box->is_crowd) {
        scene.crowds.push_back(placed.box);
      } else {
        scene.wanted.push_back({.box = placed.box});
      }
    }
    for (const detail::Entry& entry : entries.of(k)) {
      scenes[entry.image].judged.push_back({.detection = &detections[entry.detection]});
    }
  }
  for (Scene& scene : scenes) {
    std::ranges::stable_sort(scene.judged, std::ranges::greater{},
                             [](const Judged& judged) { return judged.detection->score; });
    if (scene.judged.size() > kMostDetections) scene.judged.resize(kMostDetections);
  }
  return scenes;
}

std::size_t count_errors(const std::vector<Scene>& scenes, ErrorKind kind) {
  std::size_t count = 0;
  for (const Scene& scene : scenes) {
    if (kind == ErrorKind::missed) {
      count += static_cast<std::size_t>(std::ranges::count_if(scene.wanted, is_missed));
    } else {
      count += static_cast<std::size_t>(std::ranges::count_if(
          scene.judged, [kind](const Judged& one) { return one.error == kind && !one.ignored; }));
    }
  }
  return count;
}

}  // namespace

ErrorSplit split_errors(const Annotations& annotations, std::span<const Detection> detections,
                        const Options& options) {
  std::vector<Scene> scenes =
      scenes_of(annotations, detections, detail::scope_of(annotations, options));
  for (Scene& scene : scenes) {
    find_right_ones(scene);
    find_errors(scene);
  }
  ErrorSplit split{.ap50 = mean_average_precision(points_of(scenes, std::nullopt))};
  for (std::size_t i = 0; i < split.shares.size(); ++i) {
    const auto kind = static_cast<ErrorKind>(i);
    const double fixed = mean_average_precision(points_of(scenes, kind));
    split.shares[i] = {.gain = std::max(0.0, fixed - split.ap50),
                       .count = count_errors(scenes, kind)};
  }
  return split;
}

}  // namespace yoloq::coco
