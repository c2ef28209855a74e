// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "runtime/engine.h"
#include "runtime/torch/network.h"

namespace yoloq::runtime::torch {

/// Runs `network` as every other engine runs its model: in inference, without gradients. The
/// network must not be changed while a request runs; what is changed between runs counts.
std::shared_ptr<Engine> engine_of(std::shared_ptr<Network> network);

}  // namespace yoloq::runtime::torch
