// SPDX-License-Identifier: Apache-2.0
#include "train/detail/distillation.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "core/error.h"
#include "runtime/oracle.h"
#include "runtime/torch/tensors.h"

namespace yoloq::train::detail {
namespace {

constexpr std::int64_t kClasses = 3;
constexpr std::int64_t kChannels = 2 * (5 + kClasses);

LossOptions two_levels() {
  return {.anchors = {{{10, 10}, {20, 20}}, {{40, 40}, {80, 80}}},
          .strides = {8, 16},
          .box = 0.05,
          .cls = 0.5,
          .obj = 1};
}

std::vector<at::Tensor> heads(std::uint32_t seed, double spread = 3) {
  std::vector<at::Tensor> result;
  for (const std::int64_t side : {4, 2}) {
    result.push_back(
        runtime::torch::to_torch(test::random_tensor({2, kChannels, side, side}, seed++)) * spread);
  }
  return result;
}

TEST(Distillation, IsZeroWhereTheStudentEqualsItsTeacher) {
  const LossResult loss = compute_distillation(heads(1), heads(1), two_levels());

  EXPECT_NEAR(loss.total.item<double>(), 0, 1e-6);
  EXPECT_LT(loss.parts.abs().max().item<double>(), 1e-6);
}

TEST(Distillation, IsPositiveInAllPartsElsewhere) {
  const LossResult loss = compute_distillation(heads(5), heads(1), two_levels());

  EXPECT_GT(loss.parts.min().item<double>(), 0);
  EXPECT_NEAR(loss.total.item<double>(), 2 * loss.parts.sum().item<double>(), 1e-4);
}

/// By the formulas of the header, number by number, in double.
std::vector<double> recomputed(const std::vector<at::Tensor>& student,
                               const std::vector<at::Tensor>& teacher) {
  const auto sigmoid = [](double x) { return 1 / (1 + std::exp(-x)); };
  const auto divergence = [&](double x, double t) {
    const double p = sigmoid(x);
    const double q = sigmoid(t);
    return q * std::log(q / p) + (1 - q) * std::log((1 - q) / (1 - p));
  };
  const auto smooth_l1 = [](double d) {
    return std::abs(d) < 0.1 ? 0.5 * d * d / 0.1 : std::abs(d) - 0.05;
  };
  std::vector<double> parts(3);
  const double balance[] = {4, 1};
  for (std::size_t level = 0; level < student.size(); ++level) {
    const auto s = student[level].view({2, 2, 5 + kClasses, -1});
    const auto t = teacher[level].view({2, 2, 5 + kClasses, -1});
    double objectness = 0, box = 0, classes = 0, sure = 0, cells = 0;
    for (std::int64_t image = 0; image < 2; ++image) {
      for (std::int64_t anchor = 0; anchor < 2; ++anchor) {
        for (std::int64_t cell = 0; cell < s.size(3); ++cell) {
          const auto at = [&](const at::Tensor& of, std::int64_t number) {
            return of[image][anchor][number][cell].item<double>();
          };
          const double weight = sigmoid(at(t, 4));
          double boxes = 0, labels = 0;
          for (int i = 0; i < 4; ++i) boxes += smooth_l1(at(s, i) - at(t, i)) / 4;
          for (int i = 5; i < 5 + kClasses; ++i)
            labels += divergence(at(s, i), at(t, i)) / kClasses;
          objectness += divergence(at(s, 4), at(t, 4));
          box += weight * boxes;
          classes += weight * labels;
          sure += weight;
          cells += 1;
        }
      }
    }
    parts[0] += 0.05 * box / sure;
    parts[1] += objectness / cells * balance[level];
    parts[2] += 0.5 * classes / sure;
  }
  return parts;
}

TEST(Distillation, FollowsItsFormulas) {
  const auto expected = recomputed(heads(5), heads(1));

  const LossResult loss = compute_distillation(heads(5), heads(1), two_levels());

  for (int i = 0; i < 3; ++i) {
    EXPECT_NEAR(loss.parts[i].item<double>(), expected[static_cast<std::size_t>(i)],
                1e-5 * expected[static_cast<std::size_t>(i)] + 1e-6)
        << i;
  }
}

TEST(Distillation, ScalesItsPartsByTheirGains) {
  LossOptions larger = two_levels();
  larger.box *= 2;
  larger.obj *= 3;
  larger.cls *= 5;

  const at::Tensor once = compute_distillation(heads(5), heads(1), two_levels()).parts;
  const at::Tensor scaled = compute_distillation(heads(5), heads(1), larger).parts;

  EXPECT_NEAR(scaled[0].item<double>() / once[0].item<double>(), 2, 1e-4);
  EXPECT_NEAR(scaled[1].item<double>() / once[1].item<double>(), 3, 1e-4);
  EXPECT_NEAR(scaled[2].item<double>() / once[2].item<double>(), 5, 1e-4);
}

TEST(Distillation, PushesTheStudentTowardsItsTeacher) {
  const auto teacher = heads(1);
  auto student = heads(5);
  for (at::Tensor& head : student) head = head.detach().requires_grad_(true);

  compute_distillation(student, teacher, two_levels()).total.backward();

  for (std::size_t i = 0; i < student.size(); ++i) {
    const at::Tensor away = (student[i] - teacher[i]).detach();
    const at::Tensor gradient = student[i].grad();
    // No number's gradient leads away; only where both agree may it vanish.
    EXPECT_GE((gradient * away).min().item<double>(), -1e-9) << i;
    EXPECT_GT((gradient * away).sum().item<double>(), 0) << i;
  }
}

TEST(Distillation, GivesTheTeacherNoGradient) {
  auto teacher = heads(1);
  for (at::Tensor& head : teacher) head = head.detach().requires_grad_(true);
  auto student = heads(5);
  for (at::Tensor& head : student) head = head.detach().requires_grad_(true);

  compute_distillation(student, teacher, two_levels()).total.backward();

  EXPECT_FALSE(teacher[0].grad().defined());
}

TEST(Distillation, StaysFiniteFarOut) {
  auto student = heads(5, 1e4);
  for (at::Tensor& head : student) head = head.detach().requires_grad_(true);

  const LossResult loss = compute_distillation(student, heads(1, 1e4), two_levels());
  loss.total.backward();

  EXPECT_TRUE(std::isfinite(loss.total.item<double>()));
  EXPECT_TRUE(student[0].grad().isfinite().all().item<bool>());
}

TEST(Distillation, RefusesAnotherNumberOfLevels) {
  auto teacher = heads(1);
  teacher.pop_back();

  EXPECT_THROW(compute_distillation(heads(1), teacher, two_levels()), Error);
}

}  // namespace
}  // namespace yoloq::train::detail
