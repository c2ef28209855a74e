// SPDX-License-Identifier: Apache-2.0
#include "train/event_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "core/error.h"
#include "support/data.h"

namespace yoloq::train {
namespace {

using nlohmann::json;
using testing::SizeIs;
using testing::StartsWith;

/// What an independent reader says.
std::vector<json> events_of(const std::filesystem::path& path) {
  const auto finished = test::run_python("tests/train/read_events.py", {path});
  EXPECT_EQ(finished.status, 0) << finished.errors;
  std::vector<json> events;
  std::istringstream lines(finished.output);
  for (std::string line; std::getline(lines, line);) events.push_back(json::parse(line));
  return events;
}

TEST(EventFile, IsReadWithEachValueAtItsStep) {
  const test::TemporaryFolder folder;
  EventFile file(folder.path());

  file.add_scalar("train/box_loss", 0.125, 0);
  file.add_scalar("metrics/mAP_0.5:0.95", 1e-30, 300);
  file.add_scalar(std::string(300, 'x'), -2.5, std::int64_t{1} << 40);

  const auto events = events_of(file.path());
  ASSERT_THAT(events, SizeIs(4));
  EXPECT_EQ(events[0]["version"], "brain.Event:2");
  EXPECT_EQ(events[1]["values"], json::parse(R"([["train/box_loss", 0.125]])"));
  EXPECT_EQ(events[1]["step"], 0);
  EXPECT_EQ(events[2]["step"], 300);
  EXPECT_FLOAT_EQ(events[2]["values"][0][1].get<float>(), 1e-30f);
  EXPECT_EQ(events[3]["step"], std::int64_t{1} << 40);
  EXPECT_EQ(events[3]["values"][0][0], std::string(300, 'x'));
  for (const json& event : events) EXPECT_TRUE(event["timed"]);
}

TEST(EventFile, OfATrainingThatGoesOnSaysFromWhere) {
  const test::TemporaryFolder folder;

  const EventFile file(folder.path(), 17);

  const auto events = events_of(file.path());
  ASSERT_THAT(events, SizeIs(2));
  EXPECT_EQ(events[1]["status"], 1);
  EXPECT_EQ(events[1]["step"], 17);
}

TEST(EventFile, HasANameThatTensorBoardLooksForAndNoOtherHas) {
  const test::TemporaryFolder folder;

  const EventFile first(folder.path());
  const EventFile second(folder.path());

  EXPECT_THAT(first.path().filename().string(), StartsWith("events.out.tfevents."));
  EXPECT_NE(first.path(), second.path());
}

TEST(EventFile, RefusesAFolderThatIsNotThere) {
  const test::TemporaryFolder folder;
  try {
    const EventFile file(folder / "none");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::io);
    EXPECT_THAT(error.what(), testing::HasSubstr("No such file or directory"));
  }
}

}  // namespace
}  // namespace yoloq::train
