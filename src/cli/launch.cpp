// SPDX-License-Identifier: Apache-2.0
#include "cli/launch.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "core/error.h"

namespace yoloq::cli {

namespace {

/// Names of one launcher's variables.
struct Names {
  const char* rank;
  const char* ranks;
  const char* local_rank;
  const char* local_ranks;
};

constexpr Names kTorchrun{"RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE"};
constexpr Names kOpenMpi{"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE",
                         "OMPI_COMM_WORLD_LOCAL_RANK", "OMPI_COMM_WORLD_LOCAL_SIZE"};

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
       "{} says that several processes train together, but {} is not set; torchrun sets it, with "
       "mpirun give it: -x {}=...",
       names.ranks, name, name);
}

int number_or(const Environment& environment, const char* name, int otherwise) {
  const auto text = environment(name);
  return text ? whole_number(name, *text) : otherwise;
}

const Names* launcher(const Environment& environment) {
  for (const Names* names : {&kTorchrun, &kOpenMpi}) {
    if (environment(names->ranks)) return names;
    if (environment(names->rank)) {
      fail(ErrorCode::bad_argument, "the variable {} is set, but {} is not; set both or none",
           names->rank, names->ranks);
    }
  }
  return nullptr;
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
