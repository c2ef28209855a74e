// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "train/training.h"

namespace yoloq::cli {

/// What torchrun or mpirun say about this process.
struct Launch {
  train::RankPlace place;
  int local_rank = 0;   ///< Among the ranks of this machine.
  int local_ranks = 1;  ///< How many those are.
};

/// A variable of the environment; none: not set.
using Environment = std::function<std::optional<std::string>(const char* name)>;

/// Reads RANK, WORLD_SIZE, LOCAL_RANK, LOCAL_WORLD_SIZE, MASTER_ADDR and MASTER_PORT as torchrun
/// sets them, else OMPI_COMM_WORLD_RANK, _SIZE, _LOCAL_RANK and _LOCAL_SIZE of Open MPI's mpirun
/// with MASTER_ADDR and MASTER_PORT; else the process trains alone.
///
/// @throws Error(bad_argument) naming the variable that is missing, no whole number or out of
/// range.
Launch read_launch(const Environment& environment);

/// Of the environment of this process.
Launch read_launch();

}  // namespace yoloq::cli
