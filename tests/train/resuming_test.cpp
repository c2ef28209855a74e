// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/file.h"
#include "pipeline/training_checkpoint.h"
#include "train/training.h"
#include "train/training_fixture.h"

namespace yoloq::train {
namespace {

using test::refusal;
using testing::HasSubstr;
class Resuming : public Training {
 protected:
  /// Trains with and without a break and compares.
  static void expect_the_same_after_a_break(Job whole, Job broken, std::size_t step) {
    train(whole);
    EXPECT_THROW(train(broken, cut_at(step)), Error);
    broken.resume = true;
    const Result result = train(broken);

    EXPECT_TRUE(last_of(whole) == last_of(broken)) << "broken off in step " << step;
    EXPECT_TRUE(read_file(whole.folder / "best.ckpt") == read_file(result.best));
  }
};

TEST_F(Resuming, GivesTheSameBytesTwice) {
  const Job first = tiny_->job("first");
  const Job second = tiny_->job("second");

  train(first);
  train(second);

  EXPECT_TRUE(last_of(first) == last_of(second));
  EXPECT_TRUE(read_file(first.folder / "best.ckpt") == read_file(second.folder / "best.ckpt"));
}

TEST_F(Resuming, GivesOtherWeightsForAnotherSeed) {
  const Job first = tiny_->job("seed3");
  Job second = tiny_->job("seed4");
  second.recipe.seed = 4;

  train(first);
  train(second);

  const auto a = pipeline::read_training_checkpoint(first.folder / "last.ckpt");
  const auto b = pipeline::read_training_checkpoint(second.folder / "last.ckpt");
  EXPECT_FALSE(a.model.constants.at("model.0.conv.weight") ==
               b.model.constants.at("model.0.conv.weight"));
}

TEST_F(Resuming, GoesOnToTheSameBytesAfterABreak) {
  Job whole = tiny_->job("whole");
  whole.recipe.epochs = 4;
  for (const std::size_t step : {2, 5, 6}) {
    Job broken = tiny_->job("broken" + std::to_string(step));
    broken.recipe.epochs = 4;
    expect_the_same_after_a_break(whole, broken, step);
  }
}

TEST_F(Resuming, GoesOnInTheMiddleOfAnAccumulatedBatch) {
  Job whole = tiny_->job("accumulated");
  whole.recipe.epochs = 3;
  whole.recipe.nominal_batch = 24;  // Three batches an update, two batches an epoch.
  whole.hyp.warmup_epochs = 0;
  Job broken = whole;
  broken.folder = tiny_->path() / "accumulated-broken";

  expect_the_same_after_a_break(whole, broken, 3);
}

TEST_F(Resuming, GoesOnToTheSameBytesWithAdamW) {
  Job whole = tiny_->job("adamw");
  whole.recipe.epochs = 3;
  whole.recipe.method = Method::adamw;
  whole.hyp.lr0 = 1e-3;
  Job broken = whole;
  broken.folder = tiny_->path() / "adamw-broken";

  expect_the_same_after_a_break(whole, broken, 3);
}

TEST_F(Resuming, GoesOnToTheSameBytesWhenQuantized) {
  const auto variant = [&](const std::string& name, const std::function<void(Job&)>& change) {
    Job whole = tiny_->quantized_job(name, trained());
    change(whole);
    Job broken = whole;
    broken.folder = tiny_->path() / (name + "-broken");
    SCOPED_TRACE(name);
    expect_the_same_after_a_break(whole, broken, 3);
  };

  variant("qat", [](Job&) {});
  variant("qat-features", [](Job& job) { job.recipe.feature_gain = 1; });
  variant("qat-adamw", [](Job& job) { job.recipe.method = Method::adamw; });
  variant("qat-accumulated", [](Job& job) {
    job.recipe.epochs = 3;
    job.recipe.nominal_batch = 24;  // Three batches an update, two batches an epoch.
    job.hyp.warmup_epochs = 0;
  });
}

TEST_F(Resuming, GoesOnToTheSameBytesWithBatchNormalizationKept) {
  const Job whole = tiny_->quantized_norm_job("norm", trained());
  Job broken = whole;
  broken.folder = tiny_->path() / "norm-broken";

  expect_the_same_after_a_break(whole, broken, 3);
}

TEST_F(Resuming, GoesOnToTheSameBytesWithMovingRanges) {
  Job whole = tiny_->quantized_job("moving-whole", trained());
  whole.recipe.learn_scales = false;
  whole.recipe.range_momentum = 0.2;
  Job broken = whole;
  broken.folder = tiny_->path() / "moving-broken";

  expect_the_same_after_a_break(whole, broken, 3);

  const auto left = pipeline::read_training_checkpoint(whole.folder / "last.ckpt");
  for (std::size_t i = 0; i < whole.plan->activations.size(); ++i) {
    EXPECT_NE(left.plan->activations[i].quantizer.scale,
              whole.plan->activations[i].quantizer.scale);
  }
  for (std::size_t i = 0; i < whole.plan->weights.size(); ++i) {
    EXPECT_EQ(left.plan->weights[i].scales, whole.plan->weights[i].scales);
  }
}

TEST_F(Resuming, SaysWhereOtherThreadsGoOn) {
  Job job = tiny_->job("threads");
  job.recipe.threads = 1;
  EXPECT_THROW(train(job, cut_at(2)), Error);
  job.resume = true;
  job.recipe.threads = 2;
  std::string said;

  train(job, {.notice = [&](std::string_view text) { said += text; }});

  EXPECT_THAT(said, HasSubstr("trained with 1 threads so far, now with 2"));
}

TEST_F(Resuming, SaysThatThereIsNothingLeftToDo) {
  Job job = tiny_->job("finished");
  train(job);
  const std::string before = last_of(job);
  job.resume = true;
  std::string said;

  const Result result = train(job, {.notice = [&](std::string_view text) { said += text; }});

  EXPECT_TRUE(result.epochs.empty());
  EXPECT_THAT(said, HasSubstr("finished after 2 epochs"));
  EXPECT_TRUE(last_of(job) == before);
  EXPECT_GE(result.best_epoch, 0);
}

TEST_F(Resuming, NeedsACheckpointToGoOnFrom) {
  Job job = tiny_->job("nowhere");
  job.resume = true;

  EXPECT_THAT(refusal(ErrorCode::not_found, [&] { train(job); }), HasSubstr("nowhere/last.ckpt"));
}

TEST_F(Resuming, RefusesToGoOnFromADamagedCheckpoint) {
  Job job = tiny_->job("damaged");
  train(job);
  job.resume = true;
  job.recipe.epochs = 2;
  const std::string whole = last_of(job);
  const auto after_writing = [&](const std::string& bytes) {
    write_file(job.folder / "last.ckpt", bytes);
    return refusal(ErrorCode::corrupt_file, [&] { train(job); });
  };
  auto checkpoint = pipeline::parse_training_checkpoint(whole);
  checkpoint.state.erase("waiting");
  auto untold = pipeline::parse_training_checkpoint(whole);
  untold.training = R"({"epochs_done": 1})";
  auto no_json = pipeline::parse_training_checkpoint(whole);
  no_json.training = "{";
  auto stateless = pipeline::parse_training_checkpoint(whole);
  stateless.state.clear();

  EXPECT_THAT(after_writing(whole.substr(0, whole.size() / 2)), HasSubstr("last.ckpt"));
  EXPECT_THAT(after_writing(pipeline::serialize(checkpoint)), HasSubstr("'waiting'"));
  EXPECT_THAT(after_writing(pipeline::serialize(untold)), HasSubstr("how far training was"));
  EXPECT_THAT(after_writing(pipeline::serialize(no_json)), HasSubstr("how far training was"));
  EXPECT_THAT(after_writing(pipeline::serialize(stateless)), HasSubstr("the state of training"));
}

TEST_F(Resuming, NamesWhatDiffersFromTheTrainingToGoOnWith) {
  const Job job = tiny_->job("differs");
  train(job);
  const auto other = [&](const std::function<void(Job&)>& change) {
    Job changed = job;
    changed.resume = true;
    change(changed);
    return refusal(ErrorCode::bad_argument, [&] { train(changed); });
  };

  EXPECT_THAT(other([](Job& to) { to.recipe.epochs = 3; }),
              HasSubstr("another epochs: it was 2, now it is 3"));
  EXPECT_THAT(other([](Job& to) { to.recipe.batch_size = 4; }), HasSubstr("batch_size"));
  EXPECT_THAT(other([](Job& to) { to.recipe.augment = false; }), HasSubstr("augment"));
  EXPECT_THAT(other([](Job& to) { to.hyp.lr0 = 0.5; }), HasSubstr("\"lr0: 0.5\""));
  EXPECT_THAT(other([](Job& to) { to.images.pop_back(); }), HasSubstr("number of images"));
  EXPECT_THAT(other([](Job& to) {
                auto& weight = to.model.constants.at("model.0.conv.weight");
                weight = Tensor::of(weight.shape(), std::vector<float>(weight.to_floats().size()));
              }),
              HasSubstr("another model"));
}

}  // namespace
}  // namespace yoloq::train
