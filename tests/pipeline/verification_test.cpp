// SPDX-License-Identifier: Apache-2.0
#include "pipeline/verification.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "core/error.h"
#include "core/file.h"
#include "pipeline/calm_model.h"
#include "pipeline/tiny_data_set.h"
#include "support/data.h"
#include "support/tiny_checkpoint.h"

namespace yoloq::pipeline {
namespace {

namespace fs = std::filesystem;

/// The tiny detector, with itself as the model to be verified: right on every CPU.
class Verified : public testing::Test {
 protected:
  Verified() {
    test::write_checkpoint(test::calm_model(), folder_ / "tiny.pt");
    model_ = load_model(folder_ / "tiny.pt", {.size = vision::Size{64, 64}});
  }

  Verification verify() const { return verify_once(model_, model_.graph, set_.train, cache_); }

  /// The only file of the cache.
  fs::path kept() const { return *fs::directory_iterator(cache_); }

  test::TemporaryFolder folder_;
  fs::path cache_ = folder_ / "cache";
  test::TinyDataSet set_ = test::write_tiny_data_set(folder_.path());
  DetectionModel model_;
};

TEST_F(Verified, IsRememberedWithItsFigures) {
  const Verification first = verify();
  const Verification again = verify();

  EXPECT_FALSE(first.cached);
  EXPECT_TRUE(again.cached);
  ASSERT_FALSE(first.checks.empty());
  ASSERT_EQ(again.checks.size(), first.checks.size());
  for (std::size_t i = 0; i < first.checks.size(); ++i) {
    EXPECT_EQ(again.checks[i].name, first.checks[i].name);
    EXPECT_EQ(again.checks[i].engine_db, first.checks[i].engine_db);
    EXPECT_EQ(again.checks[i].expected_db, first.checks[i].expected_db);
  }
}

TEST_F(Verified, IsRememberedWithItsNotices) {
  EXPECT_TRUE(verify().notices.empty());
  std::string text = read_file(kept());
  text.insert(text.rfind("end"), "notice the first\nnotice the second\n");
  write_file(kept(), text);

  const Verification again = verify();

  EXPECT_TRUE(again.cached);
  EXPECT_THAT(again.notices, testing::ElementsAre("the first", "the second"));
}

TEST_F(Verified, OfAChangedModelOrImageIsDoneAnew) {
  verify();

  write_file(set_.train.front(), read_file(set_.train.back()));
  EXPECT_FALSE(verify().cached);
  EXPECT_TRUE(verify().cached);

  model_.fixed.metadata["changed"] = "yes";
  EXPECT_FALSE(verify().cached);
}

TEST_F(Verified, OfABrokenFileIsDoneAnew) {
  verify();
  const std::string text = read_file(kept());

  for (const std::string& broken : {std::string(), text.substr(0, text.size() - 4), "x" + text,
                                    std::string("yoloq verification 1\nend\n")}) {
    write_file(kept(), broken);
    EXPECT_FALSE(verify().cached) << broken;
    EXPECT_EQ(read_file(kept()), text);
  }
}

TEST_F(Verified, WithFiguresThatWouldNotPassIsDoneAnew) {
  verify();
  const std::string text = read_file(kept());
  const std::string first_line = text.substr(0, text.find('\n') + 1);

  write_file(kept(), first_line + "30 5 5 output\nend\n");

  EXPECT_FALSE(verify().cached);
}

TEST_F(Verified, IsNotRememberedWithoutAFolderOrWhenItFails) {
  EXPECT_FALSE(verify_once(model_, model_.graph, set_.train, {}).cached);
  EXPECT_FALSE(verify_once(model_, model_.graph, set_.train, {}).cached);
  graph::Graph broken = model_.graph;
  broken.outputs.pop_back();

  EXPECT_THROW(verify_once(model_, broken, set_.train, cache_), Error);

  EXPECT_TRUE(!fs::exists(cache_) || fs::is_empty(cache_));
}

}  // namespace
}  // namespace yoloq::pipeline
