// SPDX-License-Identifier: Apache-2.0
#include "cli/launch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "core/error.h"

namespace yoloq::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;

using Variables = std::map<std::string, std::string>;

Launch launch_of(const Variables& variables) {
  return read_launch([&](const char* name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  });
}

std::string error_of(const Variables& variables) {
  try {
    launch_of(variables);
    return "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::bad_argument);
    return error.what();
  }
}

const Variables kByTorchrun{{"RANK", "5"},          {"WORLD_SIZE", "8"},
                            {"LOCAL_RANK", "1"},    {"LOCAL_WORLD_SIZE", "4"},
                            {"MASTER_ADDR", "one"}, {"MASTER_PORT", "29500"}};

Variables without(const std::string& name) {
  Variables variables = kByTorchrun;
  variables.erase(name);
  return variables;
}

Variables with(const std::string& name, const std::string& value) {
  Variables variables = kByTorchrun;
  variables[name] = value;
  return variables;
}

TEST(Launch, IsAloneWithoutALauncher) {
  EXPECT_EQ(launch_of({}).place.ranks, 1);
  EXPECT_EQ(launch_of({{"WORLD_SIZE", "1"}}).place.ranks, 1);
}

TEST(Launch, TakesWhatTorchrunSets) {
  const Launch launch = launch_of(kByTorchrun);
  EXPECT_EQ(launch.place.rank, 5);
  EXPECT_EQ(launch.place.ranks, 8);
  EXPECT_EQ(launch.place.address, "one");
  EXPECT_EQ(launch.place.port, 29500);
  EXPECT_FALSE(launch.place.hosted);
  EXPECT_EQ(launch.local_rank, 1);
  EXPECT_EQ(launch.local_ranks, 4);
}

TEST(Launch, MeetsAtTheAgentsStoreAndApartFromEarlierAttempts) {
  Variables variables = with("TORCHELASTIC_USE_AGENT_STORE", "True");
  variables["TORCHELASTIC_RESTART_COUNT"] = "2";
  EXPECT_TRUE(launch_of(variables).place.hosted);
  EXPECT_EQ(launch_of(variables).place.meeting, "2");
}

TEST(Launch, TakesWhatMpirunSets) {
  const Launch launch = launch_of({{"OMPI_COMM_WORLD_RANK", "1"},
                                   {"OMPI_COMM_WORLD_SIZE", "2"},
                                   {"OMPI_COMM_WORLD_LOCAL_RANK", "0"},
                                   {"MASTER_ADDR", "one"},
                                   {"MASTER_PORT", "29500"}});
  EXPECT_EQ(launch.place.rank, 1);
  EXPECT_EQ(launch.place.ranks, 2);
  EXPECT_EQ(launch.local_rank, 0);
}

TEST(Launch, SaysWhatIsMissing) {
  for (const char* name : {"RANK", "MASTER_ADDR", "MASTER_PORT"}) {
    EXPECT_THAT(error_of(without(name)),
                AllOf(HasSubstr("WORLD_SIZE says"), HasSubstr(std::string(name) + " is not set")));
  }
  EXPECT_THAT(error_of(without("WORLD_SIZE")), HasSubstr("RANK is set, but WORLD_SIZE is not"));
  EXPECT_THAT(error_of({{"OMPI_COMM_WORLD_RANK", "0"}, {"OMPI_COMM_WORLD_SIZE", "2"}}),
              AllOf(HasSubstr("OMPI_COMM_WORLD_SIZE says"), HasSubstr("-x MASTER_ADDR=")));
}

TEST(Launch, RefusesNumbersThatAreNone) {
  EXPECT_THAT(error_of(with("RANK", "8")), HasSubstr("RANK is 8, WORLD_SIZE is 8"));
  EXPECT_THAT(error_of(with("RANK", "-1")), HasSubstr("RANK is '-1'"));
  EXPECT_THAT(error_of(with("WORLD_SIZE", "two")), HasSubstr("WORLD_SIZE is 'two'"));
  EXPECT_THAT(error_of(with("MASTER_PORT", "29500x")), HasSubstr("MASTER_PORT is '29500x'"));
}

}  // namespace
}  // namespace yoloq::cli
