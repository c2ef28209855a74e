// SPDX-License-Identifier: Apache-2.0
#include "coco/best_f1.h"

#include <cstddef>
#include <vector>

namespace yoloq::coco {

namespace {

constexpr std::size_t kConfidences = 1000;

/// Precision and recall of one class at every confidence.
struct ClassCurve {
  std::vector<double> precision = std::vector<double>(kConfidences);
  std::vector<double> recall = std::vector<double>(kConfidences);
};

double confidence_at(std::size_t index) { return static_cast<double>(index) / (kConfidences - 1); }

ClassCurve curve_of(const ClassMatches& matches, std::size_t boxes) {
  ClassCurve curve;
  const double of_nothing = matches.verdicts.empty() ? 0.0 : 1.0;
  std::size_t right = 0;
  std::size_t wrong = 0;
  auto verdict = matches.verdicts.begin();
  for (std::size_t i = kConfidences; i-- > 0;) {
    for (; verdict != matches.verdicts.end() && verdict->score >= confidence_at(i); ++verdict) {
      if ((verdict->ignored[0] & 1U) != 0) continue;
      ((verdict->matched[0] & 1U) != 0 ? right : wrong) += 1;
    }
    const std::size_t found = right + wrong;
    curve.precision[i] =
        found == 0 ? of_nothing : static_cast<double>(right) / static_cast<double>(found);
    curve.recall[i] = static_cast<double>(right) / static_cast<double>(boxes);
  }
  return curve;
}

}  // namespace

BestF1 best_f1(const Matches& matches) {
  std::vector<ClassCurve> curves;
  for (const ClassMatches& one : matches.classes) {
    std::size_t boxes = 0;
    for (const Truth& truth : one.truths) boxes += truth.counted[0];
    if (boxes > 0) curves.push_back(curve_of(one, boxes));
  }
  BestF1 best;
  double best_mean = -1;
  for (std::size_t i = 0; i < kConfidences && !curves.empty(); ++i) {
    double f1 = 0;
    double precision = 0;
    double recall = 0;
    for (const ClassCurve& curve : curves) {
      const double sum = curve.precision[i] + curve.recall[i];
      if (sum > 0) f1 += 2 * curve.precision[i] * curve.recall[i] / sum;
      precision += curve.precision[i];
      recall += curve.recall[i];
    }
    if (f1 <= best_mean) continue;
    best_mean = f1;
    const auto count = static_cast<double>(curves.size());
    best = {confidence_at(i), precision / count, recall / count};
  }
  return best;
}

}  // namespace yoloq::coco
