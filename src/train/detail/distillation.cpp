// SPDX-License-Identifier: Apache-2.0
#include "train/detail/distillation.h"

#include <ATen/ATen.h>

#include <vector>

#include "core/error.h"

namespace yoloq::train::detail {

namespace {

constexpr std::int64_t kBoxNumbers = 4;

/// [N, na, H, W, 5 + nc] of one level.
at::Tensor by_cell(const at::Tensor& head, std::int64_t anchors) {
  const std::int64_t numbers = head.size(1) / anchors;
  return head.to(at::kFloat)
      .view({head.size(0), anchors, numbers, head.size(2), head.size(3)})
      .permute({0, 1, 3, 4, 2});
}

/// Cross entropy of logits against probabilities, less the entropy of those.
at::Tensor divergence(const at::Tensor& logits, const at::Tensor& teacher_logits) {
  const at::Tensor target = at::sigmoid(teacher_logits);
  const at::Tensor cross =
      at::binary_cross_entropy_with_logits(logits, target, {}, {}, at::Reduction::None);
  const at::Tensor own =
      at::binary_cross_entropy_with_logits(teacher_logits, target, {}, {}, at::Reduction::None);
  return cross - own;
}

/// Finer levels have more cells and smaller objects: 4, 1, 0.4 of three, as in compute_loss().
double balance(std::size_t level, std::size_t levels) {
  constexpr double kOfThree[] = {4.0, 1.0, 0.4};
  constexpr double kOfMore[] = {4.0, 1.0, 0.25, 0.06, 0.02};
  return levels == 3 ? kOfThree[level] : kOfMore[std::min<std::size_t>(level, 4)];
}

/// The teacher's objectness of a level.
at::Tensor sure_of(const at::Tensor& teacher, std::size_t anchors) {
  return at::sigmoid(
      by_cell(teacher, static_cast<std::int64_t>(anchors)).detach().select(-1, kBoxNumbers));
}

/// What the means are over.
struct AllRanks {
  double images = 0;
  double share = 1;              ///< Of this rank in the images, and so in the cells.
  std::vector<at::Tensor> sure;  ///< Per level: the teacher's objectness, summed.
};

AllRanks over_all_ranks(std::span<const at::Tensor> teacher, const LossOptions& options,
                        const SumOverRanks& sum) {
  const auto own = static_cast<double>(teacher[0].size(0));
  AllRanks all{.images = own, .sure = {}};
  for (std::size_t i = 0; i < teacher.size(); ++i) {
    all.sure.push_back(sure_of(teacher[i], options.anchors[i].size()).sum());
  }
  if (sum) {
    std::vector<double> counts{own};
    for (const at::Tensor& level : all.sure) counts.push_back(level.item<double>());
    const std::vector<double> sums = sum(counts);
    all.images = sums.front();
    all.share = shares_of({own}, {all.images}).front();
    for (std::size_t i = 0; i < all.sure.size(); ++i) {
      all.sure[i] = at::full({}, sums[i + 1], all.sure[i].options());
    }
  }
  for (at::Tensor& level : all.sure) level = level.clamp_min(1e-6);
  return all;
}

}  // namespace

LossResult compute_distillation(std::span<const at::Tensor> student,
                                std::span<const at::Tensor> teacher, const LossOptions& options,
                                const SumOverRanks& sum) {
  if (student.size() != teacher.size() || student.size() != options.anchors.size()) {
    fail(ErrorCode::bad_argument, "{} heads learn from {}, with anchors for {}", student.size(),
         teacher.size(), options.anchors.size());
  }
  const AllRanks all = over_all_ranks(teacher, options, sum);
  at::Tensor box = at::zeros({}, student[0].options().dtype(at::kFloat));
  at::Tensor objectness = box.clone();
  at::Tensor classes = box.clone();
  for (std::size_t i = 0; i < student.size(); ++i) {
    const auto anchors = static_cast<std::int64_t>(options.anchors[i].size());
    const at::Tensor mine = by_cell(student[i], anchors);
    const at::Tensor theirs = by_cell(teacher[i], anchors).detach();
    const at::Tensor sure = at::sigmoid(theirs.select(-1, kBoxNumbers));
    const at::Tensor& total = all.sure[i];
    const auto weighted = [&](const at::Tensor& of_cells) {
      return (of_cells * sure).sum() / total;
    };

    objectness = objectness + shared_mean(divergence(mine.select(-1, kBoxNumbers),
                                                     theirs.select(-1, kBoxNumbers)),
                                          all.share) *
                                  balance(i, student.size());
    box = box +
          weighted(at::smooth_l1_loss(mine.narrow(-1, 0, kBoxNumbers),
                                      theirs.narrow(-1, 0, kBoxNumbers), at::Reduction::None, 0.1)
                       .mean(-1));
    const std::int64_t class_count = mine.size(-1) - kBoxNumbers - 1;
    if (class_count > 1) {
      const std::int64_t first = kBoxNumbers + 1;
      classes = classes + weighted(divergence(mine.narrow(-1, first, class_count),
                                              theirs.narrow(-1, first, class_count))
                                       .mean(-1));
    }
  }
  box = box * options.box;
  objectness = objectness * options.obj;
  classes = classes * options.cls;
  return {(box + objectness + classes) * all.images,
          at::stack({box.detach(), objectness.detach(), classes.detach()})};
}

}  // namespace yoloq::train::detail
