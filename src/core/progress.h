// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>

namespace yoloq {

/// Called after each finished unit of a long job, from one thread at a time, with the units done so
/// far and in all. Empty when nobody watches. May throw Error(cancelled) to end the job.
using Progress = std::function<void(std::size_t done, std::size_t total)>;

}  // namespace yoloq
