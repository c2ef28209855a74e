// SPDX-License-Identifier: Apache-2.0
// Shapes and batches against the profile of an engine with open sizes, on a fake TensorRT.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>
#include <optional>

#include "core/error.h"
#include "runtime/tensorrt/detail/version.h"
#include "runtime/tensorrt/fake_tensorrt.h"

namespace yoloq::runtime::tensorrt {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

using TensorRtProfile = FakeTensorRt;

TEST_F(TensorRtProfile, ThatIsWrongIsRefusedBeforeTheBuild) {
  const auto build_with = [](const std::optional<ShapeProfile>& shapes) {
    compile(graph::parse(kDoubles), {.gpu = {.shapes = shapes}});
  };
  ShapeProfile other_channels = profile();
  other_channels.most[1] = 4;
  ShapeProfile out_of_order = profile();
  out_of_order.least[0] = 3;

  expect(ErrorCode::bad_argument, HasSubstr("--min-shape"), [&] { build_with(std::nullopt); });
  expect(ErrorCode::bad_argument, HasSubstr("does not fit the input 'x'"),
         [&] { build_with(other_channels); });
  expect(ErrorCode::bad_argument, HasSubstr("not in order"), [&] { build_with(out_of_order); });

  fake().takes_profile = false;
  fake().error = "profile 0 is bad";
  expect(ErrorCode::backend, AllOf(HasSubstr("refuses the shapes"), HasSubstr("profile 0 is bad")),
         [&] { build_with(profile()); });
}

TEST_F(TensorRtProfile, ForFixedSizesIsRefusedSayingHowToOpenThem) {
  expect(ErrorCode::bad_argument, HasSubstr("--dynamic"), [] {
    compile(graph::parse("input x float32[1,3,8,8]\ny = Add(x, x)\nreturn y"),
            {.gpu = {.shapes = profile()}});
  });
}

TEST_F(TensorRtProfile, IsNamedWhereAShapeIsOutsideOfIt) {
  const auto request = build(2)->make_request();

  for (const Shape& shape : {Shape{2, 3, 32, 16}, Shape{2, 3, 8, 4}, Shape{1, 3, 8, 8}}) {
    expect(ErrorCode::bad_argument, AllOf(HasSubstr("--min-shape"), HasSubstr("--max-shape")),
           [&] { request->input(0, shape); });
  }
  expect(ErrorCode::bad_argument, HasSubstr("cannot be of shape"), [&] {
    request->input(0, {2, 4, 8, 8});
  });
  expect(ErrorCode::bad_argument, HasSubstr("no input 1"), [&] { request->input(1); });
  expect(ErrorCode::bad_argument, HasSubstr("no output 1"), [&] { request->output(1); });
}

class TensorRtBatch : public FakeTensorRt {
 protected:
  static void expect_doubled(Request& request, std::int64_t batch) {
    const auto input = request.input(0, {batch, 3, 8, 8}).values<float>();
    std::iota(input.begin(), input.end(), 1.0F);
    const std::vector<float> before(input.begin(), input.end());
    request.run();

    const TensorView output = request.output(0);
    ASSERT_EQ(output.shape, (Shape{batch, 3, 8, 8}));
    const auto values = output.values<float>();
    for (std::size_t i = 0; i < before.size(); ++i) ASSERT_EQ(values[i], 2 * before[i]) << i;
  }
};

TEST_F(TensorRtBatch, WithinTheProfileIsOneRun) {
  const auto request = build()->make_request();

  for (const std::int64_t batch : {1, 3, 4}) expect_doubled(*request, batch);

  EXPECT_THAT(fake().batches, ElementsAre(1, 3, 4));
}

TEST_F(TensorRtBatch, BeyondTheProfileIsComputedInPieces) {
  const auto request = build()->make_request();

  expect_doubled(*request, 6);
  EXPECT_THAT(fake().batches, ElementsAre(4, 2));

  fake().batches.clear();
  expect_doubled(*request, 9);
  EXPECT_THAT(fake().batches, ElementsAre(4, 4, 1));
}

TEST_F(TensorRtBatch, LeavesNoPieceBelowTheSmallestShape) {
  const auto request = build(2)->make_request();

  expect_doubled(*request, 5);

  EXPECT_THAT(fake().batches, ElementsAre(3, 2));
}

TEST_F(TensorRtBatch, OfTwoRequestsDoNotDisturbEachOther) {
  const auto engine = build();
  const auto a = engine->make_request();
  const auto b = engine->make_request();

  expect_doubled(*a, 2);
  expect_doubled(*b, 6);
  expect_doubled(*a, 2);

  EXPECT_THAT(fake().batches, ElementsAre(2, 4, 2, 2));
  EXPECT_EQ(fake().contexts, kSharesProfiles ? 2 : 1);
}

}  // namespace
}  // namespace yoloq::runtime::tensorrt
