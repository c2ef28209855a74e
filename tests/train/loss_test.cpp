// SPDX-License-Identifier: Apache-2.0

/// @file
/// The loss against ComputeLoss of Ultralytics' YOLOv5 7.0: see make_loss_cases.py.

#include "train/detail/loss.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "core/error.h"
#include "train/loss_cases.h"

namespace yoloq::train::detail {
namespace {

using test::FieldFacts;
using test::LossCase;
using testing::HasSubstr;

/// Of the value, as both sum float32 in their own order; what is asked for is 1e-4.
constexpr double kRelative = 1e-5;

at::Tensor tensor_of(const std::vector<float>& values, const std::vector<std::int64_t>& shape) {
  return at::tensor(values, at::kFloat).view(shape);
}

std::vector<at::Tensor> heads_of(const LossCase& loss_case) {
  std::vector<at::Tensor> heads;
  for (std::size_t level = 0; level < loss_case.options.strides.size(); ++level) {
    heads.push_back(tensor_of(loss_case.head(level), loss_case.head_shape(level)));
    heads.back().requires_grad_();
  }
  return heads;
}

at::Tensor labels_of_case(const LossCase& loss_case) {
  return tensor_of(loss_case.labels(), {static_cast<std::int64_t>(loss_case.label_count), 6});
}

/// x, y, w, h, objectness and classes of the gradient at a head, in doubles.
std::vector<std::vector<double>> fields_of(const at::Tensor& head) {
  const at::Tensor grid = head.grad().view({head.size(0), 3, -1, head.size(2), head.size(3)});
  std::vector<std::vector<double>> fields;
  for (std::int64_t field = 0; field < 6; ++field) {
    const std::int64_t length = field < 5 ? 1 : grid.size(2) - 5;
    const at::Tensor flat = grid.narrow(2, field, length).to(at::kDouble).contiguous().view(-1);
    const double* const values = flat.const_data_ptr<double>();
    fields.emplace_back(values, values + flat.numel());
  }
  return fields;
}

void expect_facts(const std::vector<double>& gradient, const FieldFacts& facts) {
  const std::vector<double> weights = test::noise(gradient.size(), 9);
  double magnitude = 0, weighted = 0;
  for (std::size_t i = 0; i < gradient.size(); ++i) {
    magnitude += std::abs(gradient[i]);
    weighted += gradient[i] * weights[i];
  }
  EXPECT_NEAR(magnitude, facts.magnitude, kRelative * facts.magnitude);
  EXPECT_NEAR(weighted, facts.weighted, kRelative * facts.magnitude);
  for (std::size_t i = 0; i < facts.places.size(); ++i) {
    const double expected = facts.largest_values[i];
    EXPECT_NEAR(gradient.at(facts.places[i]), expected, kRelative * std::abs(expected));
  }
}

class LossOfTheOriginal : public testing::TestWithParam<LossCase> {};

TEST_P(LossOfTheOriginal, IsEqualInTotalPartsAndGradients) {
  const LossCase& expected = GetParam();
  const std::vector<at::Tensor> heads = heads_of(expected);

  const LossResult loss = compute_loss(heads, labels_of_case(expected), expected.options);
  loss.total.backward();

  EXPECT_NEAR(loss.total.item<double>(), expected.total, kRelative * expected.total);
  for (std::size_t i = 0; i < 3; ++i) {
    const double part = expected.parts[i];
    EXPECT_NEAR(loss.parts[static_cast<std::int64_t>(i)].item<double>(), part, kRelative * part);
  }
  for (std::size_t level = 0; level < heads.size(); ++level) {
    const auto fields = fields_of(heads[level]);
    for (std::size_t field = 0; field < fields.size(); ++field) {
      SCOPED_TRACE("level " + std::to_string(level) + ", field " + std::to_string(field));
      expect_facts(fields[field], expected.gradients[level][field]);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Stored, LossOfTheOriginal, testing::ValuesIn(test::loss_cases()));

LossCase a_case() { return test::loss_cases().at(1); }

TEST(Loss, PartsHaveNoGradient) {
  const LossCase some = a_case();

  const LossResult loss = compute_loss(heads_of(some), labels_of_case(some), some.options);

  EXPECT_TRUE(loss.total.requires_grad());
  EXPECT_FALSE(loss.parts.requires_grad());
}

TEST(Loss, OfHalfPrecisionHeadsIsComputedInFloat) {
  const LossCase some = a_case();
  std::vector<at::Tensor> halves, floats;
  for (const at::Tensor& head : heads_of(some)) {
    halves.push_back(head.detach().to(at::kBFloat16));
    floats.push_back(halves.back().to(at::kFloat));
  }

  const LossResult half = compute_loss(halves, labels_of_case(some), some.options);
  const LossResult real = compute_loss(floats, labels_of_case(some), some.options);

  EXPECT_EQ(half.total.item<float>(), real.total.item<float>());
}

TEST(Loss, TakesHeadsThatAreNotContiguous) {
  const LossCase some = a_case();
  std::vector<at::Tensor> heads;
  for (const at::Tensor& head : heads_of(some)) {
    heads.push_back(head.detach().contiguous(at::MemoryFormat::ChannelsLast).requires_grad_());
  }

  const LossResult loss = compute_loss(heads, labels_of_case(some), some.options);
  loss.total.backward();

  EXPECT_NEAR(loss.total.item<double>(), some.total, kRelative * some.total);
  expect_facts(fields_of(heads[0])[0], some.gradients[0][0]);
}

/// The message of the error that compute_loss throws.
std::string refusal(std::vector<at::Tensor> heads, const at::Tensor& labels,
                    const LossOptions& options) {
  try {
    compute_loss(heads, labels, options);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::bad_argument);
    return error.what();
  }
  return "nothing was thrown";
}

at::Tensor one_label(const std::vector<float>& values) { return tensor_of(values, {1, 6}); }

TEST(Loss, RefusesHeadsThatContradictTheOptions) {
  const LossCase some = a_case();
  const at::Tensor labels = labels_of_case(some);
  auto heads = heads_of(some);

  auto options = some.options;
  options.strides.pop_back();
  EXPECT_THAT(refusal(heads, labels, options), HasSubstr("3 heads, anchors of 3 levels and 2 str"));
  options = some.options;
  options.strides[1] = 0;
  EXPECT_THAT(refusal(heads, labels, options), HasSubstr("stride of level 1 is 0"));
  options = some.options;
  options.anchors[1].pop_back();
  EXPECT_THAT(refusal(heads, labels, options), HasSubstr("head 1 is [2, 27, 4, 6]"));
  EXPECT_THAT(refusal({}, labels, {}), HasSubstr("0 heads"));
  heads[2] = heads[2].detach().to(at::kInt);
  EXPECT_THAT(refusal(heads, labels, some.options), HasSubstr("head 2 is [2, 27, 2, 3] of Int"));
}

TEST(Loss, RefusesLabelsThatNoImageCanHave) {
  const LossCase some = a_case();
  const auto heads = heads_of(some);
  const auto& options = some.options;

  EXPECT_THAT(refusal(heads, at::zeros({3, 5}), options), HasSubstr("labels are [3, 5]"));
  EXPECT_THAT(refusal(heads, one_label({2, 0, .5, .5, .1, .1}), options),
              HasSubstr("label 0 is image 2, class 0"));
  EXPECT_THAT(refusal(heads, one_label({0, 4, .5, .5, .1, .1}), options),
              HasSubstr("a class below 4"));
  EXPECT_THAT(refusal(heads, one_label({0, -1, .5, .5, .1, .1}), options), HasSubstr("class -1"));
  EXPECT_THAT(refusal(heads, one_label({0, 0, NAN, .5, .1, .1}), options), HasSubstr("finite"));
}

}  // namespace
}  // namespace yoloq::train::detail
