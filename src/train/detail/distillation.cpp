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

/// What the means are over.
struct AllRanks {
  double images = 0;
  double share = 1;              ///< Of this rank in the images, and so in the cells.
  std::vector<at::Tensor> sure;  ///< Per level: the teacher's objectness, summed.
};

/// @param sure  per level [N, na, H, W]: the teacher's objectness of this rank's images.
AllRanks over_all_ranks(const std::vector<at::Tensor>& sure, const SumOverRanks& sum) {
  const auto own = static_cast<double>(sure.front().size(0));
  AllRanks all{.images = own, .sure = {}};
  for (const at::Tensor& level : sure) all.sure.push_back(level.sum());
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
  std::vector<at::Tensor> taught;
  std::vector<at::Tensor> objects;
  for (std::size_t i = 0; i < teacher.size(); ++i) {
    const auto anchors = static_cast<std::int64_t>(options.anchors[i].size());
    taught.push_back(by_cell(teacher[i], anchors).detach());
    objects.push_back(at::sigmoid(taught[i].select(-1, kBoxNumbers)));
  }
  const AllRanks all = over_all_ranks(objects, sum);
  at::Tensor box = at::zeros({}, student[0].options().dtype(at::kFloat));
  at::Tensor objectness = box.clone();
  at::Tensor classes = box.clone();
  for (std::size_t i = 0; i < student.size(); ++i) {
    const auto anchors = static_cast<std::int64_t>(options.anchors[i].size());
    const at::Tensor mine = by_cell(student[i], anchors);
    const at::Tensor& theirs = taught[i];
    const at::Tensor& sure = objects[i];
    const at::Tensor& total = all.sure[i];
    const auto weighted = [&](const at::Tensor& of_cells) {
      return (of_cells * sure).sum() / total;
    };

    objectness = objectness + shared_mean(divergence(mine.select(-1, kBoxNumbers),
                                                     theirs.select(-1, kBoxNumbers)),
                                          all.share) *
                                  level_balance(i, student.size());
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
