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

void expect_sixth_of_eight(const train::RankPlace& place) {
  EXPECT_EQ(place.rank, 5);
  EXPECT_EQ(place.ranks, 8);
  EXPECT_EQ(place.address, "one");
  EXPECT_EQ(place.port, 29500);
}

TEST(Launch, IsAloneWithoutALauncher) {
  EXPECT_EQ(launch_of({}).place.ranks, 1);
  EXPECT_EQ(launch_of({{"WORLD_SIZE", "1"}}).place.ranks, 1);
}

TEST(Launch, TakesWhatTorchrunSets) {
  const Launch launch = launch_of(kByTorchrun);
  expect_sixth_of_eight(launch.place);
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

/// With what has to be given to all launchers but torchrun.
Variables meeting(Variables variables) {
  variables["MASTER_ADDR"] = "one";
  variables["MASTER_PORT"] = "29500";
  return variables;
}

const Variables kByMpich{
    {"PMI_RANK", "5"}, {"PMI_SIZE", "8"}, {"MPI_LOCALRANKID", "1"}, {"MPI_LOCALNRANKS", "4"}};
const Variables kBySrun{
    {"SLURM_PROCID", "5"}, {"SLURM_STEP_NUM_TASKS", "8"}, {"SLURM_LOCALID", "1"}};

TEST(Launch, TakesWhatMpichAndIntelMpiSet) {
  const Launch launch = launch_of(meeting(kByMpich));

  expect_sixth_of_eight(launch.place);
  EXPECT_EQ(launch.local_rank, 1);
  EXPECT_EQ(launch.local_ranks, 4);
}

TEST(Launch, TakesWhatSrunSets) {
  const Launch launch = launch_of(meeting(kBySrun));

  expect_sixth_of_eight(launch.place);
  EXPECT_EQ(launch.local_rank, 1);
  EXPECT_EQ(launch.local_ranks, 1);
}

TEST(Launch, IsAloneInABatchScriptOfSlurmsAndInAStepOfOneTask) {
  Variables script{{"SLURM_PROCID", "0"}, {"SLURM_LOCALID", "0"}, {"SLURM_NTASKS", "8"}};
  EXPECT_EQ(launch_of(script).place.ranks, 1);

  script["SLURM_STEP_NUM_TASKS"] = "1";
  EXPECT_EQ(launch_of(script).place.ranks, 1);
}

TEST(Launch, OfALauncherThatAnotherStartedCountsTheInnerOne) {
  const Variables servants{
      {"SLURM_PROCID", "1"}, {"SLURM_STEP_NUM_TASKS", "2"}, {"SLURM_LOCALID", "0"}};
  Variables mpich = meeting(kByMpich);
  mpich.insert(servants.begin(), servants.end());
  Variables open_mpi = mpich;
  open_mpi["OMPI_COMM_WORLD_RANK"] = "6";
  open_mpi["OMPI_COMM_WORLD_SIZE"] = "9";
  Variables torchrun = open_mpi;
  torchrun["RANK"] = "7";
  torchrun["WORLD_SIZE"] = "10";

  EXPECT_EQ(launch_of(mpich).place.rank, 5);
  EXPECT_EQ(launch_of(mpich).local_ranks, 4);
  EXPECT_EQ(launch_of(open_mpi).place.rank, 6);
  EXPECT_EQ(launch_of(torchrun).place.rank, 7);
  EXPECT_EQ(launch_of(torchrun).place.ranks, 10);
}

TEST(Launch, OfSrunThatSpeaksToMpichHasTheLocalRankOfSlurm) {
  Variables variables = meeting(kBySrun);
  variables["PMI_RANK"] = "5";
  variables["PMI_SIZE"] = "8";

  EXPECT_EQ(launch_of(variables).place.rank, 5);
  EXPECT_EQ(launch_of(variables).local_rank, 1);
}

TEST(Launch, SaysWhatIsMissing) {
  for (const char* name : {"RANK", "MASTER_ADDR", "MASTER_PORT"}) {
    EXPECT_THAT(error_of(without(name)),
                AllOf(HasSubstr("WORLD_SIZE says"), HasSubstr(std::string(name) + " is not set")));
  }
  EXPECT_THAT(error_of(without("WORLD_SIZE")), HasSubstr("RANK is set, but WORLD_SIZE is not"));
  EXPECT_THAT(error_of({{"OMPI_COMM_WORLD_RANK", "0"}, {"OMPI_COMM_WORLD_SIZE", "2"}}),
              AllOf(HasSubstr("OMPI_COMM_WORLD_SIZE says"), HasSubstr("-x MASTER_ADDR=")));
  EXPECT_THAT(error_of(kByMpich),
              AllOf(HasSubstr("PMI_SIZE says"), HasSubstr("before mpiexec, export MASTER_ADDR=")));
  EXPECT_THAT(error_of({{"PMI_RANK", "0"}}), HasSubstr("PMI_RANK is set, but PMI_SIZE is not"));
  EXPECT_THAT(error_of(kBySrun), AllOf(HasSubstr("SLURM_STEP_NUM_TASKS says"),
                                       HasSubstr("before srun, export MASTER_ADDR=")));
}

TEST(Launch, RefusesNumbersThatAreNone) {
  EXPECT_THAT(error_of(with("RANK", "8")), HasSubstr("RANK is 8, WORLD_SIZE is 8"));
  EXPECT_THAT(error_of(with("RANK", "-1")), HasSubstr("RANK is '-1'"));
  EXPECT_THAT(error_of(with("WORLD_SIZE", "two")), HasSubstr("WORLD_SIZE is 'two'"));
  EXPECT_THAT(error_of(with("MASTER_PORT", "29500x")), HasSubstr("MASTER_PORT is '29500x'"));
}

}  // namespace
}  // namespace yoloq::cli
