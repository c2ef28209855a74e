// SPDX-License-Identifier: Apache-2.0
#include "pipeline/plan_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/file.h"
#include "pipeline/tiny_data_set.h"
#include "support/data.h"
#include "support/message.h"

namespace yoloq::pipeline {
namespace {

namespace fs = std::filesystem;
using test::message_when;
using testing::AllOf;
using testing::HasSubstr;

quantize::Plan some_plan() {
  return {.target = "tensorrt",
          .provenance = {{"model", "tiny"}, {"calibrator", "mse"}},
          .layers = {{.id = 0, .name = "model.0.conv", .why = "default"},
                     {.id = 1,
                      .name = "model.1.conv",
                      .precision = quantize::Precision::fp32,
                      .why = "--skip-layers model.1.*"}},
          .activations = {{.tensor = "x",
                           .quantizer = {DType::i8, 0.1f, 0},
                           .why = "mse",
                           .readers = {"model.0.conv:0"}}},
          .weights = {{.tensor = "w",
                       .layer = "model.0.conv",
                       .axis = 0,
                       .scales = {1.0f / 3, 0.25f},
                       .bias_shift = {0.1f, -1e-7f},
                       .why = "tuned"}}};
}

quantize::Plan plan_with_codes() {
  quantize::Plan plan = some_plan();
  plan.weights[0].codes = Tensor::of<std::int8_t>({2, 1, 1, 2}, {127, -127, 0, 5});
  return plan;
}

class PlanFile : public testing::Test {
 protected:
  test::TemporaryFolder folder_;
  fs::path path_ = folder_ / "m.plan.yaml";
};

TEST_F(PlanFile, GivesBackThePlan) {
  write_plan(some_plan(), path_);

  EXPECT_EQ(read_plan(path_), some_plan());
  EXPECT_FALSE(fs::exists(codes_path(path_)));
}

TEST_F(PlanFile, GivesBackStoredCodesFromTheFileBesideIt) {
  write_plan(plan_with_codes(), path_);

  EXPECT_EQ(codes_path(path_), folder_ / "m.plan.codes.onnx");
  EXPECT_TRUE(fs::exists(codes_path(path_)));
  EXPECT_EQ(read_plan(path_), plan_with_codes());
}

TEST(PackedPlan, IsTheSamePlanWhenUnpacked) {
  quantize::Plan plan = some_plan();
  EXPECT_EQ(unpack_plan(pack_plan(plan)), plan);
  plan.weights.front().codes = Tensor::of<std::int8_t>({2, 1, 1, 1}, {5, -7});

  EXPECT_EQ(unpack_plan(pack_plan(plan)), plan);
  EXPECT_THROW(unpack_plan("nothing of the kind"), Error);
}

TEST_F(PlanFile, WithoutTheCodesItAsksForIsAnError) {
  write_plan(plan_with_codes(), path_);
  fs::remove(codes_path(path_));

  EXPECT_THAT(message_when([&] { read_plan(path_); }),
              AllOf(HasSubstr(path_.string()), HasSubstr("codes")));
}

TEST_F(PlanFile, LeavesOldCodesOutOfAPlanThatHasNone) {
  write_plan(plan_with_codes(), path_);
  write_plan(some_plan(), path_);

  EXPECT_EQ(read_plan(path_), some_plan());
}

TEST_F(PlanFile, ThatIsNotThereOrNoPlanIsNamed) {
  EXPECT_THAT(message_when([&] { read_plan(path_); }), HasSubstr(path_.string()));
  write_file(path_, "names: [a, b]\n");
  EXPECT_THAT(message_when([&] { read_plan(path_); }), HasSubstr(path_.string()));
}

}  // namespace
}  // namespace yoloq::pipeline
