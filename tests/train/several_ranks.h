// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "train/training.h"

/// @file
/// Ranks as threads of the test, for what needs no processes.

namespace yoloq::test {

/// A port of this machine that nobody uses.
int free_port();

/// Place number `rank` of `ranks` that meet on this machine.
train::RankPlace place_here(int rank, int ranks, int port);

/// Runs body(place) for each rank on a thread of its own; what a body throws is the text of its
/// row.
std::vector<std::string> on_ranks(int ranks,
                                  const std::function<void(const train::RankPlace&)>& body);

}  // namespace yoloq::test
