// SPDX-License-Identifier: Apache-2.0
#include "runtime/torch/fake_quantize.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/error.h"
#include "support/gpus.h"

namespace yoloq::runtime::torch {
namespace {

/// LibTorch's own operator multiplies by 1 / s, so that it rounds values a few units in the last
/// place beside a half the other way: they may differ by one code where that is near.
double share_of_other_codes(const at::Tensor& a, const at::Tensor& b, double scale) {
  const at::Tensor steps = at::div(at::sub(a, b), scale).abs();
  EXPECT_LE(steps.max().item<double>(), 1.001);
  return steps.gt(0.5).to(at::kDouble).mean().item<double>();
}

at::Tensor values_of(at::IntArrayRef shape, std::uint64_t seed) {
  at::manual_seed(seed);
  return at::randn(shape).mul_(3);
}

TEST(FakeQuantize, GivesTheCodesOfLibTorchsOperator) {
  const at::Tensor x = values_of({3, 5, 17, 19}, 1);
  const double scale = 0.037;

  const at::Tensor mine = fake_quantize(x, at::full({1}, scale), {-128, 127, 0});
  const at::Tensor theirs = at::fake_quantize_per_tensor_affine(x, scale, 0, -128, 127);

  EXPECT_LT(share_of_other_codes(mine, theirs, scale), 1e-4);
}

TEST(FakeQuantize, HonoursZeroPointsAndChannels) {
  const at::Tensor x = values_of({4, 3, 5, 5}, 2);
  const at::Tensor scales = at::tensor({0.01, 0.02, 0.05, 0.3}).to(at::kFloat);

  const at::Tensor mine = fake_quantize(x, scales, {-127, 127, 0});
  const at::Tensor theirs =
      at::fake_quantize_per_channel_affine(x, scales, at::zeros({4}, at::kInt), 0, -127, 127);
  const at::Tensor shifted = fake_quantize(x, at::full({1}, 0.05), {0, 255, 20});

  for (int channel = 0; channel < 4; ++channel) {
    EXPECT_LT(share_of_other_codes(mine[channel], theirs[channel], scales[channel].item<double>()),
              1e-2);
  }
  EXPECT_FLOAT_EQ(shifted.min().item<float>(), -20 * 0.05f);
  EXPECT_LT(
      share_of_other_codes(shifted, at::fake_quantize_per_tensor_affine(x, 0.05, 20, 0, 255), 0.05),
      1e-3);
}

TEST(FakeQuantize, RoundsHalvesToEvenAndKeepsNan) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const at::Tensor x = at::tensor({0.5f, 1.5f, 2.5f, -0.5f, 300.0f, -300.0f, nan});

  const at::Tensor y = fake_quantize(x, at::ones({1}), {-128, 127, 0});

  const float expected[] = {0, 2, 2, 0, 127, -128};
  for (int i = 0; i < 6; ++i) EXPECT_EQ(y[i].item<float>(), expected[i]) << i;
  EXPECT_TRUE(std::isnan(y[6].item<float>()));
}

/// The definition, spelled out in LibTorch's operators.
struct Expected {
  at::Tensor values;
  at::Tensor scale;
};
Expected gradients_by_hand(const at::Tensor& inner, const at::Tensor& s, const at::Tensor& above,
                           const Codes& codes) {
  const at::Tensor code = inner / s;
  const double low = codes.low - codes.zero_point;
  const double high = codes.high - codes.zero_point;
  const at::Tensor inside = code.ge(low).logical_and(code.le(high)).to(at::kDouble);
  const at::Tensor at_scale = above * (code.clamp(low, high).round() - code * inside);
  return {above * inside, at_scale};
}

TEST(FakeQuantize, PassesStraightThroughInsideAndMovesTheScale) {
  const at::Tensor x = values_of({2, 4, 8, 8}, 3).set_requires_grad(true);
  const at::Tensor s = at::full({1}, 0.02).set_requires_grad(true);
  const at::Tensor above = values_of({2, 4, 8, 8}, 4);

  (fake_quantize(x, s, {-128, 127, 0}) * above).sum().backward();

  const at::Tensor wide = x.detach().to(at::kDouble);
  const Expected expected =
      gradients_by_hand(wide, s.detach().to(at::kDouble), above.to(at::kDouble), {});
  EXPECT_TRUE(at::allclose(x.grad().to(at::kDouble), expected.values, 1e-6, 1e-6));
  EXPECT_NEAR(s.grad().item<double>(), expected.scale.sum().item<double>(),
              1e-4 * expected.scale.abs().sum().item<double>());
}

TEST(FakeQuantize, GivesEachChannelItsOwnScaleGradient) {
  const at::Tensor x = values_of({3, 2, 3, 3}, 5).set_requires_grad(true);
  const at::Tensor s = at::tensor({0.01, 0.02, 0.03}).to(at::kFloat).set_requires_grad(true);
  const at::Tensor above = values_of({3, 2, 3, 3}, 6);

  (fake_quantize(x, s, {-127, 127, 0}) * above).sum().backward();

  const at::Tensor wide = x.detach().to(at::kDouble);
  const at::Tensor scale = s.detach().to(at::kDouble).view({3, 1, 1, 1});
  const Expected expected = gradients_by_hand(wide, scale, above.to(at::kDouble), {-127, 127, 0});
  EXPECT_TRUE(at::allclose(s.grad().to(at::kDouble), expected.scale.flatten(1).sum(1), 1e-4, 1e-3));
}

TEST(FakeQuantize, IsSiluAndThenTheSame) {
  const at::Tensor x = values_of({2, 3, 9, 7}, 7).set_requires_grad(true);
  const at::Tensor twin = x.detach().clone().set_requires_grad(true);
  const at::Tensor s = at::full({1}, 0.05).set_requires_grad(true);
  const at::Tensor twin_s = s.detach().clone().set_requires_grad(true);
  const at::Tensor above = values_of({2, 3, 9, 7}, 8);

  const at::Tensor fused = fake_quantize_silu(x, s, {-128, 127, 0});
  const at::Tensor apart = fake_quantize(at::silu(twin), twin_s, {-128, 127, 0});
  (fused * above).sum().backward();
  (apart * above).sum().backward();

  EXPECT_LT(share_of_other_codes(fused, apart, 0.05), 1e-3);
  EXPECT_TRUE(at::allclose(x.grad(), twin.grad(), 1e-4, 1e-5));
  EXPECT_NEAR(s.grad().item<float>(), twin_s.grad().item<float>(),
              1e-3 * std::abs(twin_s.grad().item<float>()) + 0.2);
}

TEST(FakeQuantize, KeepsAnyDenseLayout) {
  const at::Tensor x = values_of({2, 8, 6, 5}, 9).contiguous(at::MemoryFormat::ChannelsLast);

  const at::Tensor y = fake_quantize(x, at::full({1}, 0.1), {});

  EXPECT_TRUE(y.is_contiguous(at::MemoryFormat::ChannelsLast));
  EXPECT_TRUE(at::equal(y, fake_quantize(x.contiguous(), at::full({1}, 0.1), {})));
}

TEST(FakeQuantize, GivesTheSameBitsForAnyNumberOfThreads) {
  const at::Tensor x = values_of({4, 16, 64, 64}, 10).set_requires_grad(true);
  const int before = at::get_num_threads();
  at::Tensor gradients[2];
  for (int threads = 1; threads <= 2; ++threads) {
    at::set_num_threads(threads);
    const at::Tensor s = at::full({1}, 0.03).set_requires_grad(true);
    fake_quantize(x, s, {}).square().sum().backward();
    gradients[threads - 1] = s.grad();
  }
  at::set_num_threads(before);

  EXPECT_TRUE(at::equal(gradients[0], gradients[1]));
}

/// What a device gives, moved to the CPU.
struct Outcome {
  at::Tensor values, at_values, at_scale;
};
Outcome outcome_on(c10::Device device, const at::Tensor& x, const at::Tensor& scale,
                   const at::Tensor& above, const Codes& codes, bool silu) {
  const at::Tensor input = x.to(device).detach().set_requires_grad(true);
  const at::Tensor s = scale.to(device).detach().set_requires_grad(true);
  const at::Tensor y = silu ? fake_quantize_silu(input, s, codes) : fake_quantize(input, s, codes);
  (y * above.to(device)).sum().backward();
  return {y.detach().cpu(), input.grad().cpu(), s.grad().cpu()};
}

TEST(FakeQuantizeOnGpu, GivesWhatTheCpuGives) {
  YOLOQ_NEED_GPUS(1);
  // Odd sizes, so that blocks end in the middle; some values lie outside of the codes.
  const at::Tensor x = values_of({5, 7, 33, 41}, 11);
  const at::Tensor above = values_of({5, 7, 33, 41}, 12);
  const at::Tensor many = at::tensor({0.01, 0.02, 0.05, 0.3, 0.001}).to(at::kFloat);
  for (const at::Tensor& scale : {at::full({1}, 0.02), many}) {
    const Outcome cpu = outcome_on(c10::kCPU, x, scale, above, {-127, 127, 3}, false);
    const Outcome gpu = outcome_on(c10::kCUDA, x, scale, above, {-127, 127, 3}, false);
    EXPECT_TRUE(at::equal(gpu.values, cpu.values));
    EXPECT_TRUE(at::equal(gpu.at_values, cpu.at_values));
    EXPECT_TRUE(at::allclose(gpu.at_scale, cpu.at_scale, 1e-4, 1e-2));
  }
}

TEST(FakeQuantizeOnGpu, IsSiluAndThenTheSame) {
  YOLOQ_NEED_GPUS(1);
  const at::Tensor x = values_of({3, 9, 21, 17}, 13).contiguous(at::MemoryFormat::ChannelsLast);
  const at::Tensor above = values_of({3, 9, 21, 17}, 14);
  const at::Tensor scale = at::full({1}, 0.03);

  const Outcome cpu = outcome_on(c10::kCPU, x, scale, above, {}, true);
  const Outcome gpu = outcome_on(c10::kCUDA, x, scale, above, {}, true);

  EXPECT_LT(share_of_other_codes(gpu.values, cpu.values, 0.03), 1e-3);
  EXPECT_TRUE(at::allclose(gpu.at_values, cpu.at_values, 1e-4, 1e-5));
  EXPECT_NEAR(gpu.at_scale.item<float>(), cpu.at_scale.item<float>(),
              1e-3 * std::abs(cpu.at_scale.item<float>()) + 0.2);
}

TEST(FakeQuantizeOnGpu, ComputesBfloat16InFloat) {
  YOLOQ_NEED_GPUS(1);
  const at::Tensor x = values_of({4, 1000}, 15).to(at::kBFloat16);
  const at::Tensor scale = at::full({1}, 0.05);
  const at::Tensor narrow = fake_quantize(x.to(c10::kCUDA), scale.to(c10::kCUDA), {}).cpu();

  const at::Tensor wide = fake_quantize(x.to(at::kFloat), scale, {});

  EXPECT_TRUE(at::equal(narrow, wide.to(at::kBFloat16)));
}

TEST(FakeQuantizeOnGpu, KeepsNanAndGivesTheSameBitsEachTime) {
  YOLOQ_NEED_GPUS(1);
  at::Tensor x = values_of({2, 64, 80, 80}, 16);
  const at::Tensor above = values_of({2, 64, 80, 80}, 17);
  const at::Tensor scale = at::full({1}, 0.02);
  const Outcome first = outcome_on(c10::kCUDA, x, scale, above, {}, true);
  const Outcome second = outcome_on(c10::kCUDA, x, scale, above, {}, true);
  EXPECT_TRUE(at::equal(first.at_scale, second.at_scale));

  x[1][2][3][4] = std::numeric_limits<float>::quiet_NaN();
  const Outcome third = outcome_on(c10::kCUDA, x, scale, above, {}, false);
  EXPECT_TRUE(std::isnan(third.values[1][2][3][4].item<float>()));
  EXPECT_EQ(third.values.isnan().sum().item<std::int64_t>(), 1);
}

TEST(FakeQuantize, RefusesScalesThatDoNotFit) {
  EXPECT_THROW(fake_quantize(at::ones({4, 2}), at::ones({3}), {}), Error);
  EXPECT_THROW(fake_quantize_silu(at::ones({4, 2}), at::ones({4}), {}), Error);
}

}  // namespace
}  // namespace yoloq::runtime::torch
