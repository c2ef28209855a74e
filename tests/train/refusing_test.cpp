// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <string>

#include "core/error.h"
#include "core/file.h"
#include "dataset/labels.h"
#include "pipeline/training_checkpoint.h"
#include "train/tiny_training.h"
#include "train/training.h"
#include "train/training_fixture.h"

namespace yoloq::train {
namespace {

namespace fs = std::filesystem;
using test::refusal;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using Refusing = Training;

TEST_F(Refusing, DoesNotReplaceAnotherTrainingUnasked) {
  Job job = tiny_->job("occupied");
  job.recipe.evaluate_every = 1;
  train(job);
  const std::string before = last_of(job);
  job.replace = false;
  job.recipe.seed = 4;

  EXPECT_THAT(refusal(ErrorCode::bad_argument, [&] { train(job); }),
              AllOf(HasSubstr("occupied' holds a training already"), HasSubstr("--exist-ok")));
  EXPECT_TRUE(last_of(job) == before);

  job.replace = true;
  job.recipe.evaluate_every = 0;
  job.recipe.epochs = 3;
  const auto watch = [&](const StepReport& report) {
    EXPECT_EQ(fs::exists(job.folder / "best.ckpt"), report.epoch == 0)
        << "The old ones stay until there is a new one, and no longer.";
  };
  train(job, {.step = watch});
  EXPECT_FALSE(last_of(job) == before);
  std::size_t event_files = 0;
  for (const auto& entry : fs::directory_iterator(job.folder)) {
    event_files += entry.path().filename().string().starts_with("events.out.tfevents.") ? 1 : 0;
  }
  EXPECT_EQ(event_files, 1);
}

TEST_F(Refusing, StopsAtALossThatIsNoNumberAndKeepsTheLastCheckpoint) {
  Job job = tiny_->job("exploding");
  job.recipe.epochs = 30;
  job.recipe.evaluate_every = 0;
  job.hyp.lr0 = 1e-6;
  job.hyp.lrf = 1e36;  // From the second epoch on the rate is far above what weights bear.
  job.hyp.warmup_epochs = 0;
  job.recipe.clip_norm = 0;
  std::string first;
  const auto keep = [&](const EpochReport&) { first = last_of(job); };

  const std::string message = refusal(ErrorCode::bad_value, [&] { train(job, {.epoch = keep}); });

  EXPECT_THAT(message, HasSubstr("epoch 2, batch 2: "));
  EXPECT_THAT(message, HasSubstr("the last whole checkpoint is that of epoch 1: lower lr0"));
  std::size_t named = 0;
  for (const fs::path& image : job.images) {
    named += message.find(image.filename().string()) != std::string::npos ? 1 : 0;
  }
  EXPECT_EQ(named, job.images.size() / 2) << "The batch has half of the images: " << message;
  ASSERT_FALSE(first.empty());
  EXPECT_TRUE(last_of(job) == first);
}

TEST_F(Refusing, SaysWhereThereIsNoCheckpointYet) {
  Job job = tiny_->job("exploding-at-once");
  job.hyp.lr0 = 1e30;
  job.hyp.warmup_epochs = 0;
  job.recipe.clip_norm = 0;

  const std::string message = refusal(ErrorCode::bad_value, [&] { train(job); });

  EXPECT_THAT(message, AllOf(HasSubstr("epoch 1, batch 2"), HasSubstr("no checkpoint yet")));
  EXPECT_FALSE(fs::exists(job.folder / "last.ckpt"));
}

TEST_F(Refusing, NeverWritesACheckpointWithoutNumbers) {
  // The last step of an epoch may be the one that breaks the weights.
  for (const double rate : {1e10, 1e20, 1e38}) {
    Job broken = tiny_->job("late" + std::to_string(rate));
    broken.recipe.epochs = 3;
    broken.recipe.evaluate_every = 0;
    broken.recipe.batch_size = 16;
    broken.hyp.lr0 = rate;
    broken.hyp.warmup_epochs = 0;
    try {
      train(broken);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::bad_value) << error.what();
    }
    if (!fs::exists(broken.folder / "last.ckpt")) continue;
    const auto left = pipeline::read_training_checkpoint(broken.folder / "last.ckpt");
    for (const auto& [name, tensor] : left.model.constants) {
      if (tensor.dtype() != DType::f32) continue;
      for (const float value : tensor.to_floats()) ASSERT_TRUE(std::isfinite(value)) << name;
    }
  }
}

TEST_F(Refusing, RefusesWhatCannotWork) {
  const auto refused = [&](ErrorCode code, const std::function<void(Job&)>& change) {
    Job job = tiny_->job("refused");
    change(job);
    const std::string message = refusal(code, [&] { train(job); });
    EXPECT_FALSE(fs::exists(job.folder / "last.ckpt"));
    return message;
  };
  using enum ErrorCode;

  EXPECT_THAT(refused(bad_argument, [](Job& to) { to.recipe.epochs = 0; }), HasSubstr("epoch"));
  EXPECT_THAT(refused(bad_argument, [](Job& to) { to.images.clear(); }), HasSubstr("no images"));
  EXPECT_THAT(refused(bad_argument,
                      [](Job& to) {
                        to.recipe.size = {64, 96};
                      }),
              HasSubstr("square"));
  EXPECT_THAT(refused(bad_argument,
                      [](Job& to) {
                        to.recipe.size = {80, 80};
                      }),
              HasSubstr("multiple of 32"));
  EXPECT_THAT(refused(bad_argument, [](Job& to) { to.recipe.device = "tpu"; }),
              HasSubstr("no device 'tpu'; known: cpu, cuda, cuda:N"));
  EXPECT_THAT(refused(bad_argument, [](Job& to) { to.recipe.device = "cuda:x"; }),
              HasSubstr("no device"));
  EXPECT_THAT(refused(bad_argument, [](Job& to) { to.recipe.amp = true; }), HasSubstr("cpu"));
  EXPECT_THAT(refused(bad_argument, [](Job& to) { to.recipe.learn_scales = true; }),
              HasSubstr("quantized"));
  EXPECT_THAT(refused(bad_argument, [](Job& to) { to.recipe.teacher = Teacher::float_model; }),
              HasSubstr("teaches itself"));
  EXPECT_THAT(refused(bad_argument, [](Job& to) { to.recipe.range_momentum = 0.1; }),
              HasSubstr("only a quantized model has ranges"));
  EXPECT_THAT(refused(bad_argument, [](Job& to) { to.recipe.range_momentum = 1.5; }),
              HasSubstr("between 0 and 1"));
  EXPECT_THAT(refused(bad_argument, [](Job& to) { to.recipe.feature_gain = -1; }),
              HasSubstr("from 0 up"));
  EXPECT_THAT(refused(bad_argument, [](Job& to) { to.recipe.feature_gain = 1; }),
              HasSubstr("there is none where labels are learned"));
  EXPECT_THAT(refused(io,
                      [](Job& to) {
                        write_file(to.folder.parent_path() / "file", "");
                        to.folder = to.folder.parent_path() / "file" / "below";
                      }),
              HasSubstr("file/below"));
}

TEST_F(Refusing, RefusesLabelsOfClassesThatTheModelLacks) {
  test::TinyTraining own(4, 2);
  Job job = own.job("classes");
  write_file(dataset::label_path(job.images[2]), "0 .5 .5 .2 .2\n3 .5 .5 .2 .2\n");

  const std::string message = refusal(ErrorCode::corrupt_file, [&] { train(job); });

  EXPECT_THAT(message, HasSubstr(dataset::label_path(job.images[2]).filename().string() + ":2"));
  EXPECT_THAT(message, HasSubstr("3"));
}

TEST_F(Refusing, NamesTheRightImagesWhereOneIsLeftOut) {
  test::TinyTraining own(4, 2);
  Job job = own.job("skipping");
  write_file(job.images[0], "this is no image");
  job.recipe.skip_bad = true;
  job.recipe.epochs = 30;
  job.recipe.evaluate_every = 0;
  job.recipe.clip_norm = 0;
  job.hyp.lr0 = 1e30;
  job.hyp.warmup_epochs = 0;

  const std::string message = refusal(ErrorCode::bad_value, [&] { train(job); });

  EXPECT_THAT(message, Not(HasSubstr(job.images[0].filename().string())));
  for (std::size_t i = 1; i < 4; ++i) {
    EXPECT_THAT(message, HasSubstr(job.images[i].filename().string()));
  }
}

}  // namespace
}  // namespace yoloq::train
