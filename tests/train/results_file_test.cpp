// SPDX-License-Identifier: Apache-2.0
#include "train/results_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "core/error.h"
#include "core/file.h"
#include "support/data.h"

namespace yoloq::train {
namespace {

using testing::HasSubstr;

const std::string kHeader =
    "               epoch,      train/box_loss,      train/obj_loss,      train/cls_loss,"
    "   metrics/precision,      metrics/recall,     metrics/mAP_0.5,metrics/mAP_0.5:0.95,"
    "        val/box_loss,        val/obj_loss,        val/cls_loss,               x/lr0,"
    "               x/lr1,               x/lr2\n";

EpochResults results_of(int epoch) {
  return {.epoch = epoch,
          .train_loss = {0.11324567, 0.0351, 2},
          .precision = 1.0 / 3,
          .recall = 0.5,
          .map50 = 0.000012345678,
          .map = 1,
          .val_loss = {123456789, NAN, 0},
          .learning_rates = {0.1, 0.0033, 1e-9}};
}

/// What Python prints for results_of(epoch) with '%20.5g,' * 14.
std::string line_of(int epoch) {
  return std::string(epoch < 10 ? 19 : 18, ' ') + std::to_string(epoch) +
         ",             0.11325,              0.0351,                   2,             0.33333,"
         "                 0.5,          1.2346e-05,                   1,          1.2346e+08,"
         "                 nan,                   0,                 0.1,              0.0033,"
         "               1e-09\n";
}

class ResultsFile : public testing::Test {
 protected:
  yoloq::test::TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "results.csv";

  void write_epochs(int count) const {
    for (int epoch = 0; epoch < count; ++epoch) append_results(path_, results_of(epoch));
  }
  std::string refusal(int first_epoch) const {
    try {
      truncate_results(path_, first_epoch);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::corrupt_file);
      return error.what();
    }
    return "nothing was thrown";
  }
};

TEST_F(ResultsFile, HasTheBytesOfTheOriginal) {
  append_results(path_, results_of(0));
  append_results(path_, results_of(11));

  EXPECT_EQ(read_file(path_), kHeader + line_of(0) + line_of(11));
}

TEST_F(ResultsFile, BeginsAgainAtTheEpochThatTrainingGoesOnFrom) {
  write_epochs(4);

  truncate_results(path_, 2);
  append_results(path_, results_of(2));

  EXPECT_EQ(read_file(path_), kHeader + line_of(0) + line_of(1) + line_of(2));
}

TEST_F(ResultsFile, LosesALineThatWasCutOff) {
  write_epochs(2);
  const std::string whole = read_file(path_);
  write_file(path_, whole.substr(0, whole.size() - 10));

  truncate_results(path_, 2);

  EXPECT_EQ(read_file(path_), kHeader + line_of(0));
}

TEST_F(ResultsFile, WithoutAWholeHeaderBeginsAnew) {
  write_file(path_, "      epoch, tra");

  truncate_results(path_, 0);
  append_results(path_, results_of(0));

  EXPECT_EQ(read_file(path_), kHeader + line_of(0));
}

TEST_F(ResultsFile, ThatIsNotThereIsNothingToTruncate) {
  truncate_results(path_, 3);

  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(ResultsFile, OfAnotherKindIsRefusedAndLeftAlone) {
  write_file(path_, "name,ap\na,1\n");
  EXPECT_THAT(refusal(1), HasSubstr("results.csv: its first line"));
  EXPECT_EQ(read_file(path_), "name,ap\na,1\n");

  write_file(path_, kHeader + "hello,1\n");
  EXPECT_THAT(refusal(1), HasSubstr("line 2 begins with 'hello'"));
}

TEST_F(ResultsFile, ThatCannotBeWrittenIsAnError) {
  EXPECT_THROW(append_results(folder_ / "none/results.csv", results_of(0)), Error);
}

}  // namespace
}  // namespace yoloq::train
