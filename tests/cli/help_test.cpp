// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "cli/yoloq_program.h"

namespace yoloq {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

class EveryCommand : public testing::TestWithParam<std::string> {};

TEST_P(EveryCommand, HelpsWithAnExample) {
  const auto help = test::yoloq_in("/", {GetParam(), "--help"});

  EXPECT_EQ(help.status, 0);
  EXPECT_THAT(help.output, AllOf(HasSubstr("Example:\n  yoloq " + GetParam() + " --"),
                                 HasSubstr("--json"), HasSubstr("--help")));
  EXPECT_THAT(help.errors, IsEmpty());
}

TEST_P(EveryCommand, IsListedInTheHelpOfTheProgram) {
  EXPECT_THAT(test::yoloq_in("/", {"--help"}).output, HasSubstr("  " + GetParam() + " "));
}

TEST_P(EveryCommand, WithoutArgumentsSaysWhatItNeeds) {
  const test::TemporaryFolder folder;

  const auto finished = test::yoloq_in(folder.path(), {GetParam()});

  EXPECT_EQ(finished.status, 2);
  EXPECT_THAT(finished.errors, HasSubstr("--"));  // An option to give.
  EXPECT_THAT(test::files_below(folder.path()), IsEmpty());
}

TEST_P(EveryCommand, RefusesAnUnknownFlagByName) {
  std::vector<std::string> arguments{GetParam(), "--bogus"};
  if (GetParam() == "detect") arguments.insert(arguments.end(), {"--source", "a.jpg"});
  if (GetParam() == "report") arguments.emplace_back("folder");

  const auto finished = test::yoloq_in("/", arguments);

  EXPECT_EQ(finished.status, 2);
  EXPECT_THAT(finished.errors, HasSubstr("--bogus"));
}

INSTANTIATE_TEST_SUITE_P(OfYoloq, EveryCommand,
                         testing::Values("export", "quantize", "build", "eval", "detect", "inspect",
                                         "bench", "sensitivity", "report"),
                         [](const auto& row) { return row.param; });

TEST(CommandLine, WithoutACommandOrWithAnUnknownOneIsWrongUse) {
  EXPECT_EQ(test::yoloq_in("/", {}).status, 2);
  EXPECT_EQ(test::yoloq_in("/", {"quantise"}).status, 2);
}

TEST(CommandLine, NamesAnUnknownOptionBeforeWhatFollowedIt) {
  const auto finished = test::yoloq_in("/", {"inspect", "stray", "--bogus", "8"});

  EXPECT_EQ(finished.status, 2);
  EXPECT_THAT(finished.errors, HasSubstr("no option --bogus (not expected: stray --bogus 8)"));
  EXPECT_THAT(test::yoloq_in("/", {"inspect", "stray"}).errors, HasSubstr("not expected: stray"));
}

TEST(CommandLine, SaysItsVersion) {
  const auto finished = test::yoloq_in("/", {"--version"});

  EXPECT_EQ(finished.status, 0);
  EXPECT_THAT(finished.output, StartsWith("yoloq "));
}

}  // namespace
}  // namespace yoloq
