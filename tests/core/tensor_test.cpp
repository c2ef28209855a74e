// SPDX-License-Identifier: Apache-2.0
#include "core/tensor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "core/error.h"

namespace yoloq {
namespace {

using testing::ElementsAre;

TEST(Tensor, HoldsItsElementsInRowMajorOrder) {
  const auto tensor = Tensor::of<float>({2, 2}, {1, 2, 3, 4});

  EXPECT_EQ(tensor.dtype(), DType::f32);
  EXPECT_THAT(tensor.values<float>(), ElementsAre(1, 2, 3, 4));
  EXPECT_EQ(tensor.reshaped({4, 1}).shape(), (Shape{4, 1}));
}

TEST(Tensor, RefusesBytesThatDoNotFitItsShape) {
  const std::array<std::byte, 6> bytes{};

  EXPECT_THROW(Tensor(DType::f32, {2}, bytes), Error);
  EXPECT_THROW(Tensor(DType::f32, {-1}, bytes), Error);
  EXPECT_THROW(Tensor(DType::u8, {1LL << 40, 1LL << 40}, bytes), Error);
}

TEST(Tensor, RefusesToBeReadAsAnotherType) {
  EXPECT_THROW(Tensor::scalar(1.0f).values<int>(), Error);
  EXPECT_THROW(Tensor::scalar(1.0f).to_integers(), Error);
}

TEST(Tensor, ConvertsHalvesAndIntegersToFloats) {
  const std::array<std::uint16_t, 2> halves{0x3C00, 0xC000};
  const std::array<std::uint16_t, 1> brain{0x3FC0};

  EXPECT_THAT(Tensor(DType::f16, {2}, std::as_bytes(std::span(halves))).to_floats(),
              ElementsAre(1.0f, -2.0f));
  EXPECT_THAT(Tensor(DType::bf16, {1}, std::as_bytes(std::span(brain))).to_floats(),
              ElementsAre(1.5f));
  EXPECT_THAT(Tensor::list<std::int8_t>({-3, 7}).to_integers(), ElementsAre(-3, 7));
}

TEST(Tensor, ComparesContentNotBuffers) {
  EXPECT_EQ(Tensor::list<float>({1, 2}), Tensor::list<float>({1, 2}));
  EXPECT_FALSE(Tensor::list<float>({1, 2}) == Tensor::list<float>({1, 3}));
  EXPECT_FALSE(Tensor::list<float>({1, 2}) == Tensor::of<float>({2, 1}, {1, 2}));
}

}  // namespace
}  // namespace yoloq
