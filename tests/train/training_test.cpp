// SPDX-License-Identifier: Apache-2.0
#include "train/training.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/file.h"
#include "dataset/labels.h"
#include "pipeline/training_checkpoint.h"
#include "train/tiny_training.h"

namespace yoloq::train {
namespace {

namespace fs = std::filesystem;
using test::refusal;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

double sum(const Losses& losses) { return losses[0] + losses[1] + losses[2]; }

/// A watcher that ends a training at a step (counted from 0 over all epochs).
Watcher cut_at(std::size_t step) {
  return {.step = [step](const StepReport& report) {
    const std::size_t done = static_cast<std::size_t>(report.epoch) * report.steps + report.step;
    if (done > step) fail(ErrorCode::cancelled, "cut");
  }};
}

class Training : public testing::Test {
 protected:
  static void SetUpTestSuite() { tiny_ = new test::TinyTraining(); }
  static void TearDownTestSuite() {
    delete tiny_;
    tiny_ = nullptr;
  }

  /// A float checkpoint to quantize, made once.
  static fs::path trained() {
    const fs::path last = tiny_->path() / "trained/last.ckpt";
    if (!fs::exists(last)) {
      Job job = tiny_->job("trained");
      job.recipe.epochs = 6;
      job.hyp.warmup_epochs = 1;
      train(job);
    }
    return last;
  }

  static std::string last_of(const Job& job) { return read_file(job.folder / "last.ckpt"); }

  /// Trains with and without a break and compares.
  static void expect_the_same_after_a_break(Job whole, Job broken, std::size_t step) {
    train(whole);
    EXPECT_THROW(train(broken, cut_at(step)), Error);
    broken.resume = true;
    const Result result = train(broken);

    EXPECT_TRUE(last_of(whole) == last_of(broken)) << "broken off in step " << step;
    EXPECT_TRUE(read_file(whole.folder / "best.ckpt") == read_file(result.best));
  }

  static test::TinyTraining* tiny_;
};

test::TinyTraining* Training::tiny_ = nullptr;

TEST_F(Training, GivesTheSameBytesTwice) {
  const Job first = tiny_->job("first");
  const Job second = tiny_->job("second");

  train(first);
  train(second);

  EXPECT_TRUE(last_of(first) == last_of(second));
  EXPECT_TRUE(read_file(first.folder / "best.ckpt") == read_file(second.folder / "best.ckpt"));
}

TEST_F(Training, GivesOtherWeightsForAnotherSeed) {
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

TEST_F(Training, GoesOnToTheSameBytesAfterABreak) {
  Job whole = tiny_->job("whole");
  whole.recipe.epochs = 4;
  for (const std::size_t step : {2, 5, 6}) {
    Job broken = tiny_->job("broken" + std::to_string(step));
    broken.recipe.epochs = 4;
    expect_the_same_after_a_break(whole, broken, step);
  }
}

TEST_F(Training, GoesOnInTheMiddleOfAnAccumulatedBatch) {
  Job whole = tiny_->job("accumulated");
  whole.recipe.epochs = 3;
  whole.recipe.nominal_batch = 24;  // Three batches an update, two batches an epoch.
  whole.hyp.warmup_epochs = 0;
  Job broken = whole;
  broken.folder = tiny_->path() / "accumulated-broken";

  expect_the_same_after_a_break(whole, broken, 3);
}

TEST_F(Training, GoesOnToTheSameBytesWithAdamW) {
  Job whole = tiny_->job("adamw");
  whole.recipe.epochs = 3;
  whole.recipe.method = Method::adamw;
  whole.hyp.lr0 = 1e-3;
  Job broken = whole;
  broken.folder = tiny_->path() / "adamw-broken";

  expect_the_same_after_a_break(whole, broken, 3);
}

TEST_F(Training, GoesOnToTheSameBytesWhenQuantized) {
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

TEST_F(Training, GoesOnToTheSameBytesWithBatchNormalizationKept) {
  const Job whole = tiny_->quantized_norm_job("norm", trained());
  Job broken = whole;
  broken.folder = tiny_->path() / "norm-broken";

  expect_the_same_after_a_break(whole, broken, 3);
}

TEST_F(Training, GoesOnToTheSameBytesWithMovingRanges) {
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

/// The loss of objectness rises while boxes get better, as their IoU is its target.
TEST_F(Training, LowersTheLossOfBoxesAndClasses) {
  Job job = tiny_->job("falling");
  job.recipe.epochs = 24;
  job.recipe.evaluate_every = 0;
  job.recipe.augment = false;
  job.recipe.method = Method::adamw;
  job.hyp.lr0 = 0.002;
  job.hyp.momentum = 0.9;
  job.hyp.warmup_epochs = 1;
  job.hyp.warmup_bias_lr = 0.002;
  job.hyp.cls = 5;
  job.hyp.obj = 8;

  const Result result = train(job);

  ASSERT_EQ(result.epochs.size(), 24U);
  EXPECT_LT(result.epochs.back().losses[0], 0.9 * result.epochs.front().losses[0]);
  EXPECT_LT(result.epochs.back().losses[2], 0.8 * result.epochs.front().losses[2]);
}

TEST_F(Training, LowersTheDistanceToTheFloatModelWhenQuantized) {
  Job job = tiny_->quantized_job("nearer", trained());
  for (auto& activation : job.plan->activations) activation.quantizer.scale *= 6;
  job.recipe.epochs = 24;
  job.recipe.evaluate_every = 0;
  job.recipe.augment = false;
  job.recipe.learn_scales = true;
  job.recipe.scale_lr = 0.05;
  job.hyp.lr0 = 1e-3;

  const Result result = train(job);

  EXPECT_LT(sum(result.epochs.back().losses), 0.8 * sum(result.epochs.front().losses));
}

TEST_F(Training, MatchesTheFloatModelsFeatures) {
  const auto weights_with = [&](const std::string& name, double gain) {
    Job job = tiny_->quantized_job(name, trained());
    job.recipe.feature_gain = gain;
    const Result result = train(job);
    const auto left = pipeline::read_training_checkpoint(result.last);
    EXPECT_EQ(left.model.outputs.size(), job.model.outputs.size()) << "maps are no outputs";
    return read_file(result.last);
  };

  EXPECT_NE(weights_with("features", 1), weights_with("no_features", 0));
}

TEST_F(Training, LearnsScalesAndKeepsThemPositive) {
  Job job = tiny_->quantized_job("scales", trained());
  train(job);

  const auto checkpoint = pipeline::read_training_checkpoint(job.folder / "last.ckpt");

  ASSERT_TRUE(checkpoint.plan.has_value());
  std::size_t moved = 0;
  for (std::size_t i = 0; i < checkpoint.plan->activations.size(); ++i) {
    const float now = checkpoint.plan->activations[i].quantizer.scale;
    EXPECT_GT(now, 0);
    moved += now != job.plan->activations[i].quantizer.scale;
  }
  EXPECT_GT(moved, checkpoint.plan->activations.size() / 2);
}

TEST_F(Training, KeepsScalesThatItIsNotToLearn) {
  Job job = tiny_->quantized_job("frozen", trained());
  job.recipe.learn_scales = false;
  train(job);

  const auto checkpoint = pipeline::read_training_checkpoint(job.folder / "last.ckpt");

  EXPECT_EQ(checkpoint.plan->activations, job.plan->activations);
  for (std::size_t i = 0; i < job.plan->weights.size(); ++i) {
    EXPECT_EQ(checkpoint.plan->weights[i].scales, job.plan->weights[i].scales);
  }
}

TEST_F(Training, MeasuresWhenItIsTold) {
  Job job = tiny_->job("measured");
  job.recipe.epochs = 3;
  job.recipe.evaluate_every = 2;

  const Result result = train(job);

  EXPECT_FALSE(result.epochs[0].ap.has_value());
  EXPECT_TRUE(result.epochs[1].ap.has_value());
  EXPECT_TRUE(result.epochs[2].ap.has_value());
  EXPECT_TRUE(fs::exists(result.best));
  EXPECT_GE(result.best_epoch, 1);
}

TEST_F(Training, TakesTheLatestForTheBestWithoutImagesToMeasureOn) {
  Job job = tiny_->job("unmeasured");
  job.val_images.clear();

  const Result result = train(job);

  EXPECT_EQ(result.best_epoch, 1);
  EXPECT_FALSE(result.epochs.back().ap.has_value());
  const auto best = pipeline::read_training_checkpoint(result.best);
  const auto last = pipeline::read_training_checkpoint(result.last);
  EXPECT_EQ(best.model.constants, last.model.constants);
  EXPECT_TRUE(best.state.empty());
}

TEST_F(Training, KeepsTheBestThatWasMeasuredWhereItGoesOnUnmeasured) {
  Job job = tiny_->job("unmeasured-later");
  job.recipe.epochs = 3;
  EXPECT_THROW(train(job, cut_at(3)), Error);  // After the first epoch.
  const std::string best = read_file(job.folder / "best.ckpt");
  job.resume = true;
  job.val_images.clear();

  const Result result = train(job);

  EXPECT_EQ(result.best_epoch, 0);
  EXPECT_GE(result.best_ap, 0);
  EXPECT_TRUE(read_file(result.best) == best);
}

TEST_F(Training, DoesNotReplaceAnotherTrainingUnasked) {
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

TEST_F(Training, HasABestEvenWhereNothingIsToBeFound) {
  Job job = tiny_->job("empty-val");
  job.truth.annotations.boxes.clear();

  const Result result = train(job);

  EXPECT_EQ(result.best_epoch, 0);
  EXPECT_TRUE(fs::exists(result.best));
}

TEST_F(Training, SaysWhereOtherThreadsGoOn) {
  Job job = tiny_->job("threads");
  job.recipe.threads = 1;
  EXPECT_THROW(train(job, cut_at(2)), Error);
  job.resume = true;
  job.recipe.threads = 2;
  std::string said;

  train(job, {.notice = [&](std::string_view text) { said += text; }});

  EXPECT_THAT(said, HasSubstr("trained with 1 threads so far, now with 2"));
}

TEST_F(Training, SaysThatThereIsNothingLeftToDo) {
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

TEST_F(Training, NeedsACheckpointToGoOnFrom) {
  Job job = tiny_->job("nowhere");
  job.resume = true;

  EXPECT_THAT(refusal(ErrorCode::not_found, [&] { train(job); }), HasSubstr("nowhere/last.ckpt"));
}

TEST_F(Training, RefusesToGoOnFromADamagedCheckpoint) {
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

TEST_F(Training, NamesWhatDiffersFromTheTrainingToGoOnWith) {
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

TEST_F(Training, StopsAtALossThatIsNoNumberAndKeepsTheLastCheckpoint) {
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

TEST_F(Training, SaysWhereThereIsNoCheckpointYet) {
  Job job = tiny_->job("exploding-at-once");
  job.hyp.lr0 = 1e30;
  job.hyp.warmup_epochs = 0;
  job.recipe.clip_norm = 0;

  const std::string message = refusal(ErrorCode::bad_value, [&] { train(job); });

  EXPECT_THAT(message, AllOf(HasSubstr("epoch 1, batch 2"), HasSubstr("no checkpoint yet")));
  EXPECT_FALSE(fs::exists(job.folder / "last.ckpt"));
}

TEST_F(Training, NeverWritesACheckpointWithoutNumbers) {
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

TEST_F(Training, RefusesWhatCannotWork) {
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

TEST_F(Training, RefusesLabelsOfClassesThatTheModelLacks) {
  test::TinyTraining own(4, 2);
  Job job = own.job("classes");
  write_file(dataset::label_path(job.images[2]), "0 .5 .5 .2 .2\n3 .5 .5 .2 .2\n");

  const std::string message = refusal(ErrorCode::corrupt_file, [&] { train(job); });

  EXPECT_THAT(message, HasSubstr(dataset::label_path(job.images[2]).filename().string() + ":2"));
  EXPECT_THAT(message, HasSubstr("3"));
}

TEST_F(Training, NamesTheRightImagesWhereOneIsLeftOut) {
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
