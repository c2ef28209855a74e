// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "core/error.h"
#include "core/file.h"
#include "train/tiny_training.h"

namespace yoloq::train {

/// A watcher that ends a training at a step (counted from 0 over all epochs).
inline Watcher cut_at(std::size_t step) {
  return {.step = [step](const StepReport& report) {
    const std::size_t done = static_cast<std::size_t>(report.epoch) * report.steps + report.step;
    if (done > step) fail(ErrorCode::cancelled, "cut");
  }};
}

/// A data set that all cases of a suite share.
class Training : public testing::Test {
 protected:
  static void SetUpTestSuite() { tiny_ = new test::TinyTraining(); }
  static void TearDownTestSuite() {
    delete tiny_;
    tiny_ = nullptr;
  }

  /// A float checkpoint to quantize, made once.
  static std::filesystem::path trained() {
    const std::filesystem::path last = tiny_->path() / "trained/last.ckpt";
    if (!std::filesystem::exists(last)) {
      Job job = tiny_->job("trained");
      job.recipe.epochs = 6;
      job.hyp.warmup_epochs = 1;
      train(job);
    }
    return last;
  }

  static std::string last_of(const Job& job) { return read_file(job.folder / "last.ckpt"); }

  inline static test::TinyTraining* tiny_ = nullptr;
};

}  // namespace yoloq::train
