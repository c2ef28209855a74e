// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/yoloq_program.h"
#include "core/file.h"

namespace yoloq {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

TEST(DatasetShapes, MakesADataSetAndSaysWhatIsInIt) {
  const test::TemporaryFolder folder;

  const auto finished =
      test::yoloq_in(folder.path(), {"dataset", "shapes", "--out", "set", "--images", "4", "--val",
                                     "2", "--img", "64", "--classes", "3", "--json", "out.json"});

  EXPECT_EQ(finished.status, 0) << finished.errors;
  EXPECT_THAT(finished.output, AllOf(HasSubstr("circle"), HasSubstr("set/data.yaml: 4 images")));
  const auto files = test::files_below(folder / "set");
  EXPECT_THAT(files, SizeIs(4 * 2 + 2 * 2 + 1));
  EXPECT_THAT(files, AllOf(Contains("data.yaml"), Contains("images/val/000001.jpg"),
                           Contains("labels/train/000003.txt")));
  const auto json = test::read_json(folder / "out.json");
  EXPECT_EQ(json.at("train_images"), 4);
  EXPECT_THAT(json.at("boxes"), SizeIs(3));
}

TEST(DatasetShapes, RefusesAFolderThatIsNotEmptyWithoutForce) {
  const test::TemporaryFolder folder;
  write_file(folder / "mine.txt", "mine");

  for (const bool force : {false, true}) {
    std::vector<std::string> arguments{"dataset", "shapes", "--out", folder.path().string()};
    if (force) arguments.emplace_back("--force");
    const auto finished = test::yoloq_in("/", arguments);

    EXPECT_EQ(finished.status, 1);
    EXPECT_THAT(finished.errors, HasSubstr(force ? "mine.txt" : "is not empty"));
    EXPECT_THAT(test::files_below(folder.path()), testing::ElementsAre("mine.txt"));
  }
}

TEST(DatasetShapes, RefusesNumbersThatItCannotUse) {
  const test::TemporaryFolder folder;
  const auto errors_of = [&](const std::string& flag, const std::string& value, int status) {
    const auto finished =
        test::yoloq_in(folder.path(), {"dataset", "shapes", "--out", "set", flag, value});
    EXPECT_EQ(finished.status, status) << flag;
    EXPECT_THAT(test::files_below(folder.path()), IsEmpty());
    return finished.errors;
  };

  EXPECT_THAT(errors_of("--classes", "9", 1), HasSubstr("9 classes of shapes; expected 2 to 5"));
  EXPECT_THAT(errors_of("--img", "8", 1), HasSubstr("expected 64 to 2048"));
  EXPECT_THAT(errors_of("--images", "many", 2), HasSubstr("--images"));
  EXPECT_THAT(errors_of("--bogus", "1", 2), HasSubstr("--bogus"));
}

TEST(Dataset, HelpsWithAnExampleAndAsksForWhatItMakes) {
  const auto help = test::yoloq_in("/", {"dataset", "--help"});
  EXPECT_EQ(help.status, 0);
  EXPECT_THAT(help.output, AllOf(HasSubstr("shapes"), HasSubstr("Example:\n  yoloq dataset ")));

  const auto shapes_help = test::yoloq_in("/", {"dataset", "shapes", "--help"});
  EXPECT_EQ(shapes_help.status, 0);
  EXPECT_THAT(shapes_help.output, AllOf(HasSubstr("Example:\n  yoloq dataset shapes --out"),
                                        HasSubstr("--json"), HasSubstr("--force")));

  EXPECT_EQ(test::yoloq_in("/", {"dataset"}).status, 2);
  const auto nothing_given = test::yoloq_in("/", {"dataset", "shapes"});
  EXPECT_EQ(nothing_given.status, 2);
  EXPECT_THAT(nothing_given.errors, HasSubstr("--out"));
}

}  // namespace
}  // namespace yoloq
