// SPDX-License-Identifier: Apache-2.0

/// @file
/// What ranks compute from their parts of a batch against one process with the whole: LibTorch's
/// own batch_norm, and the losses without ranks.

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <iterator>
#include <mutex>
#include <string>
#include <vector>

#include "support/gpus.h"
#include "train/detail/distillation.h"
#include "train/detail/loss.h"
#include "train/detail/ranks.h"
#include "train/detail/synchronised_norm.h"
#include "train/several_ranks.h"

namespace yoloq::train::detail {
namespace {

using test::on_ranks;
using testing::Each;
using testing::IsEmpty;

/// Images of the batch that each rank has: an uneven split, and one rank with none.
struct Part {
  std::int64_t first = 0;
  std::int64_t count = 0;
};
constexpr Part kParts[] = {{0, 3}, {3, 2}, {5, 0}};
constexpr int kRanks = 3;
constexpr std::int64_t kImages = 5;

at::Tensor part_of(const at::Tensor& batch, int rank) {
  return batch.narrow(0, kParts[rank].first, kParts[rank].count).clone();
}

at::Tensor noise(at::IntArrayRef sizes, std::uint64_t seed) {
  return at::randn(sizes, at::make_generator<at::CPUGeneratorImpl>(seed));
}

void expect_close(const at::Tensor& actual, const at::Tensor& expected, double tolerance) {
  ASSERT_EQ(actual.sizes(), expected.sizes());
  if (expected.numel() == 0) return;
  EXPECT_LE((actual - expected).abs().max().item<double>(),
            tolerance * expected.abs().max().item<double>());
}

/// What a layer makes of a batch, of a gradient from above, and of its running statistics.
struct Norm {
  at::Tensor output, mean, variance;
  at::Tensor at_input, at_gamma, at_beta;
};

/// A whole batch, and what LibTorch's batch_norm makes of it.
struct WholeNorm {
  at::Tensor input, above;
  at::Tensor gamma = noise({4}, 3), beta = noise({4}, 4);
  Norm expected;
};

constexpr double kMomentum = 0.03, kEpsilon = 1e-3;

WholeNorm whole_norm(double middle, at::MemoryFormat format) {
  WholeNorm whole{.input = (noise({kImages, 4, 6, 7}, 1) * 0.5 + middle).contiguous(format),
                  .above = noise({kImages, 4, 6, 7}, 2)};
  const at::Tensor input = whole.input.clone().requires_grad_();
  const at::Tensor gamma = whole.gamma.clone().requires_grad_();
  const at::Tensor beta = whole.beta.clone().requires_grad_();
  const at::Tensor mean = at::ones({4}), variance = at::ones({4});
  const at::Tensor output =
      at::batch_norm(input, gamma, beta, mean, variance, true, kMomentum, kEpsilon, false);
  (output * whole.above).sum().backward();
  whole.expected = {output.detach(), mean, variance, input.grad(), gamma.grad(), beta.grad()};
  return whole;
}

/// What a rank makes of its part on a device; all on the CPU.
Norm norm_of_part(const WholeNorm& whole, int rank, std::size_t ranks, c10::DeviceType device,
                  const SumTensors& sum) {
  const at::Tensor input = part_of(whole.input, rank).to(device).requires_grad_();
  const at::Tensor gamma = whole.gamma.clone().to(device).requires_grad_();
  const at::Tensor beta = whole.beta.clone().to(device).requires_grad_();
  const at::Tensor mean = at::ones({4}, device), variance = at::ones({4}, device);
  const at::Tensor output = synchronised_norm(
      {input, gamma, beta, mean, variance, kMomentum, kEpsilon},
      {.images = kImages, .rank = static_cast<std::size_t>(rank), .ranks = ranks, .sum = sum});
  (output * part_of(whole.above, rank).to(device)).sum().backward();
  return {output.detach().cpu(), mean.cpu(),         variance.cpu(),
          input.grad().cpu(),    gamma.grad().cpu(), beta.grad().cpu()};
}

void expect_norms(const std::vector<Norm>& parts, const WholeNorm& whole, double tolerance) {
  const Norm& expected = whole.expected;
  at::Tensor at_gamma = at::zeros({4}), at_beta = at::zeros({4});
  for (int rank = 0; rank < std::ssize(parts); ++rank) {
    const Norm& part = parts.at(static_cast<std::size_t>(rank));
    expect_close(part.output, part_of(expected.output, rank), tolerance * 10);
    expect_close(part.mean, expected.mean, tolerance);
    expect_close(part.variance, expected.variance, tolerance * 10);
    expect_close(part.at_input, part_of(expected.at_input, rank), tolerance * 10);
    at_gamma += part.at_gamma;
    at_beta += part.at_beta;
  }
  expect_close(at_gamma, expected.at_gamma, tolerance * 10);
  expect_close(at_beta, expected.at_beta, tolerance);
}

TEST(SynchronisedNorm, IsThatOfTheWholeBatchWithItsGradients) {
  // A mean far from 0, where a variance from plain sums would lose its digits.
  const WholeNorm whole = whole_norm(30, at::MemoryFormat::Contiguous);
  std::vector<Norm> parts(kRanks);

  const auto errors = on_ranks(kRanks, [&](const RankPlace& place) {
    Ranks ranks(place, {});
    parts.at(ranks.rank()) =
        norm_of_part(whole, place.rank, kRanks, at::kCPU, [&](auto sums) { ranks.sum(sums); });
    ranks.finish();  // Waits for the others.
  });

  EXPECT_THAT(errors, Each(IsEmpty()));
  expect_norms(parts, whole, 2e-6);
}

/// Sums over ranks that take turns: rounds are repeated until each has seen what all say.
class TurnTaking {
 public:
  explicit TurnTaking(std::size_t ranks) : ranks_(ranks) {}

  SumTensors begin(std::size_t rank) {
    exchange_ = 0;
    return [this, rank](std::span<at::Tensor> tensors) {
      if (exchange_ == said_.size()) said_.emplace_back(ranks_);
      auto& all = said_[exchange_++];
      all[rank] = tensors.front().clone();
      for (std::size_t other = 0; other < ranks_; ++other) {
        if (other != rank && all[other].defined()) tensors.front().add_(all[other]);
      }
    };
  }

 private:
  std::size_t ranks_;
  std::size_t exchange_ = 0;
  std::vector<std::vector<at::Tensor>> said_;  ///< By exchange and rank.
};

TEST(SynchronisedNormOnGpu, IsThatOfTheWholeBatchWithItsGradients) {
  YOLOQ_NEED_GPUS(1);
  for (const auto format : {at::MemoryFormat::Contiguous, at::MemoryFormat::ChannelsLast}) {
    const WholeNorm whole = whole_norm(3, format);
    std::vector<Norm> parts(kRanks - 1);  // Those that have images.
    TurnTaking turns(parts.size());

    // After the first round all know the sums forward, after the second backward.
    for (int round = 0; round < 3; ++round) {
      for (int rank = 0; rank < std::ssize(parts); ++rank) {
        const auto index = static_cast<std::size_t>(rank);
        parts.at(index) = norm_of_part(whole, rank, parts.size(), at::kCUDA, turns.begin(index));
      }
    }

    expect_norms(parts, whole, 1e-5);
  }
}

LossOptions options_of_two_levels() {
  return {.anchors = {{{10, 13}, {16, 30}}, {{30, 61}, {62, 45}}}, .strides = {8, 16}};
}

/// Heads for 3 classes of images of 64 pixels.
std::vector<at::Tensor> heads(std::uint64_t seed) {
  return {noise({kImages, 16, 8, 8}, seed), noise({kImages, 16, 4, 4}, seed + 1)};
}

/// Boxes of all images but one of rank 1's; the third image has none that match the finer level.
at::Tensor labels() {
  return at::tensor({0.f, 1.f, .3f, .4f, .2f,  .3f,  0.f, 2.f, .7f, .6f, .3f, .2f,  //
                     1.f, 0.f, .5f, .5f, .15f, .25f, 2.f, 1.f, .2f, .8f, .9f, .9f,
                     4.f, 0.f, .6f, .3f, .3f,  .4f})
      .view({-1, 6});
}

at::Tensor labels_of_rank(int rank) {
  const at::Tensor all = labels();
  const at::Tensor image = all.select(1, 0);
  const auto first = static_cast<float>(kParts[rank].first);
  at::Tensor mine = all.index(
      {image.ge(first).logical_and(image.lt(first + static_cast<float>(kParts[rank].count)))});
  mine.select(1, 0).sub_(first);
  return mine;
}

using LossOfHeads = std::function<LossResult(std::span<const at::Tensor> student,
                                             std::span<const at::Tensor> teacher,
                                             const at::Tensor& labels, const SumOverRanks& sum)>;

void expect_parts_add_up(const LossOfHeads& loss_of) {
  std::vector<at::Tensor> student = heads(5);
  const std::vector<at::Tensor> teacher = heads(7);
  for (at::Tensor& head : student) head.requires_grad_();
  const LossResult whole = loss_of(student, teacher, labels(), {});
  whole.total.backward();

  std::mutex mutex;
  at::Tensor total = at::zeros({}), parts = at::zeros({3});
  const auto errors = on_ranks(3, [&](const RankPlace& place) {
    Ranks ranks(place, {});
    std::vector<at::Tensor> mine, theirs;
    for (std::size_t i = 0; i < student.size(); ++i) {
      mine.push_back(part_of(student[i].detach(), place.rank).requires_grad_());
      theirs.push_back(part_of(teacher[i], place.rank));
    }
    const LossResult own =
        loss_of(mine, theirs, labels_of_rank(place.rank),
                [&](std::vector<double> values) { return ranks.sum(std::move(values)); });
    own.total.backward();
    std::unique_lock lock(mutex);
    total += own.total.detach();
    parts += own.parts;
    for (std::size_t i = 0; i < student.size(); ++i) {
      expect_close(mine[i].grad(), part_of(student[i].grad(), place.rank), 2e-6);
    }
    lock.unlock();
    ranks.finish();  // Waits for the others.
  });
  EXPECT_THAT(errors, Each(IsEmpty()));
  expect_close(total, whole.total.detach(), 1e-6);
  expect_close(parts, whole.parts, 1e-6);
}

TEST(LossOfRanks, AddsUpToThatOfTheWholeBatch) {
  expect_parts_add_up([](auto student, auto, const auto& labels, const auto& sum) {
    return compute_loss(student, labels, options_of_two_levels(), sum);
  });
}

TEST(FocalLossOfRanks, AddsUpToThatOfTheWholeBatch) {
  expect_parts_add_up([](auto student, auto, const auto& labels, const auto& sum) {
    LossOptions options = options_of_two_levels();
    options.fl_gamma = 1.5;
    return compute_loss(student, labels, options, sum);
  });
}

TEST(DistillationOfRanks, AddsUpToThatOfTheWholeBatch) {
  expect_parts_add_up([](auto student, auto teacher, const auto&, const auto& sum) {
    return compute_distillation(student, teacher, options_of_two_levels(), sum);
  });
}

}  // namespace
}  // namespace yoloq::train::detail
