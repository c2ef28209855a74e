// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "train/training.h"

namespace yoloq::cli {

/// What the launcher says about this process.
struct Launch {
  train::RankPlace place;
  int local_rank = 0;   ///< Among the ranks of this machine.
  int local_ranks = 1;  ///< How many those are; 1 under srun, which gives each its processors.
};

/// A variable of the environment; none: not set.
using Environment = std::function<std::optional<std::string>(const char* name)>;

/// Reads the variables of the first of these launchers that has set its number of ranks; without
/// one, or with one rank, the process trains alone.
///
///     torchrun          RANK, WORLD_SIZE, LOCAL_RANK, LOCAL_WORLD_SIZE
///     Open MPI          OMPI_COMM_WORLD_RANK, _SIZE, _LOCAL_RANK, _LOCAL_SIZE
///     MPICH, Intel MPI  PMI_RANK, PMI_SIZE, MPI_LOCALRANKID, MPI_LOCALNRANKS
///     Slurm's srun      SLURM_PROCID, SLURM_STEP_NUM_TASKS, SLURM_LOCALID
///
/// All with MASTER_ADDR and MASTER_PORT, which only torchrun sets itself.
///
/// @throws Error(bad_argument) naming the variable that is missing, no whole number or out of
/// range.
Launch read_launch(const Environment& environment);

/// Of the environment of this process.
Launch read_launch();

}  // namespace yoloq::cli
