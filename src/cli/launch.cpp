// SPDX-License-Identifier: Apache-2.0
#include "cli/launch.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "core/error.h"

namespace yoloq::cli {

namespace {

/// One launcher's variables.
struct Names {
  const char* rank;
  const char* ranks;
  const char* local_rank;
  const char* local_ranks;  ///< Null: it has none.
  const char* give;         ///< How it is told a variable "NAME=...".
};

constexpr Names kTorchrun{"RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE",
                          "torchrun sets it, others may: export"};
constexpr Names kOpenMpi{"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE",
                         "OMPI_COMM_WORLD_LOCAL_RANK", "OMPI_COMM_WORLD_LOCAL_SIZE",
                         "give it to mpirun: -x"};
/// And Intel MPI.
constexpr Names kMpich{"PMI_RANK", "PMI_SIZE", "MPI_LOCALRANKID", "MPI_LOCALNRANKS",
                       "before mpiexec, export"};
/// SLURM_NTASKS would be there in a batch script, too, of which there is one process.
constexpr Names kSlurm{"SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "SLURM_LOCALID", nullptr,
                       "before srun, export"};

int whole_number(const char* name, const std::string& text) {
  int value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error == std::errc() && stop == end && value >= 0) return value;
  fail(ErrorCode::bad_argument, "the variable {} is '{}'; expected a whole number from 0", name,
       text);
}

std::string required(const Environment& environment, const char* name, const Names& names) {
  if (auto text = environment(name); text && !text->empty()) return *text;
  fail(ErrorCode::bad_argument,
       "{} says that several processes train together, but {} is not set; {} {}=...", names.ranks,
       name, names.give, name);
}

int number_or(const Environment& environment, const char* name, int otherwise) {
  const auto text = name != nullptr ? environment(name) : std::nullopt;
  return text ? whole_number(name, *text) : otherwise;
}

/// srun --mpi=pmi2 sets MPICH's names of ranks beside its own, but none for those of a machine.
bool is_srun_as_mpich(const Environment& environment) {
  return !environment(kMpich.local_rank) && environment(kSlurm.ranks) == environment(kMpich.ranks);
}

/// Those that others start come first: srun starts a torchrun or the servants of an mpirun on each
/// machine, and its variables are there in their ranks, too.
const Names* launcher(const Environment& environment) {
  for (const Names* names : {&kTorchrun, &kOpenMpi, &kMpich}) {
    if (environment(names->ranks)) {
      return names == &kMpich && is_srun_as_mpich(environment) ? &kSlurm : names;
    }
    if (environment(names->rank)) {
      fail(ErrorCode::bad_argument, "the variable {} is set, but {} is not; set both or none",
           names->rank, names->ranks);
    }
  }
  return environment(kSlurm.ranks) ? &kSlurm : nullptr;
}

}  // namespace

Launch read_launch(const Environment& environment) {
  Launch launch;
  const Names* const names = launcher(environment);
  if (names == nullptr) return launch;
  train::RankPlace& place = launch.place;
  place.ranks = whole_number(names->ranks, *environment(names->ranks));
  if (place.ranks == 1) return launch;
  place.rank = whole_number(names->rank, required(environment, names->rank, *names));
  if (place.rank >= place.ranks) {
    fail(ErrorCode::bad_argument,
         "{} is {}, {} is {}; ranks count from 0 and are below their number", names->rank,
         place.rank, names->ranks, place.ranks);
  }
  place.address = required(environment, "MASTER_ADDR", *names);
  place.port = whole_number("MASTER_PORT", required(environment, "MASTER_PORT", *names));
  place.hosted = environment("TORCHELASTIC_USE_AGENT_STORE") == "True";
  place.meeting = environment("TORCHELASTIC_RESTART_COUNT").value_or("0");
  place.interface = environment("GLOO_SOCKET_IFNAME").value_or("");
  launch.local_rank = number_or(environment, names->local_rank, 0);
  launch.local_ranks = std::max(number_or(environment, names->local_ranks, 1), 1);
  return launch;
}

Launch read_launch() {
  return read_launch([](const char* name) -> std::optional<std::string> {
    const char* const value = std::getenv(name);
    if (value == nullptr) return std::nullopt;
    return value;
  });
}

}  // namespace yoloq::cli
